import { UserError } from '../../contract/errors.ts'
import type { SmallTensor } from '../weights/tfjs-weights.ts'
import { GraphBuilder, type Graph, type Value } from './builder.ts'

/** What is taken from the samples 0 .. 255 before they are divided by 255. */
const MEAN_RGB = [117.001, 114.697, 97.404] as const
/** As the network was trained: 0.1 in 32-bit floats. */
const LEAK = 0.10000000149011612
/** Blocks of a depthwise and a pointwise convolution, `conv1` and on. */
const BLOCKS = 5

/**
 * The Tiny Face Detector of face-api.js (Mühler 2018, MIT): a YOLO v2 of six layers, all but the first in separable convolutions (Howard et al. 2017), each followed by a
 * leaky ReLU and a halving maximum; the last maximum does not halve. Input `image` [1, 3, H, W], samples 0 .. 255; output `cells` [1, 25, H/32, W/32]: for each of
 * five anchors x, y, width, height and sureness before their sigmoid or exponential.
 * @param weights by the names of its manifest, in TensorFlow's order of sides: height, width, in, out
 */
export function faceDetectorGraph(weights: ReadonlyMap<string, SmallTensor>): Graph {
  const graph = new GraphBuilder('face_detector')
  const tensor = (name: string): SmallTensor => {
    const found = weights.get(name)
    if (found === undefined) throw new UserError('model-incomplete', `The face detector has no tensor "${name}".`)
    return found
  }
  const bias = (name: string): Value => {
    const { shape, values } = tensor(`${name}/bias`)
    return graph.floats(values, shape)
  }
  const filters = (name: string, perChannel = false): { value: Value; shape: readonly number[] } => {
    const swapped = channelsFirst(name, tensor(name), perChannel)
    return { value: graph.floats(swapped.values, swapped.shape), shape: swapped.shape }
  }
  const convolution = (x: Value, kernel: ReturnType<typeof filters>, more: readonly Value[], options: { padding?: number; group?: number } = {}): Value => {
    const { padding = 0, group = 1 } = options
    return graph.node('Conv', [x, kernel.value, ...more], {
      kernel_shape: { ints: kernel.shape.slice(2) },
      pads: { ints: [padding, padding, padding, padding] },
      group: { int: group },
    })
  }
  const leaky = (x: Value): Value => graph.node('LeakyRelu', [x], { alpha: { float: LEAK } })
  const pooled = (x: Value, stride: number): Value =>
    graph.node('MaxPool', [x], { kernel_shape: { ints: [2, 2] }, strides: { ints: [stride, stride] }, auto_pad: { text: 'SAME_UPPER' } })

  const image = graph.input('image', [1, 3, 'height', 'width'])
  let x = graph.node('Div', [graph.node('Sub', [image, graph.floats(MEAN_RGB, [3, 1, 1])]), graph.floats([255], [])])
  x = pooled(leaky(convolution(x, filters('conv0/filters'), [bias('conv0')])), 2)
  for (let n = 1; n <= BLOCKS; n++) {
    const depthwise = filters(`conv${n}/depthwise_filter`, true)
    x = convolution(x, depthwise, [], { padding: 1, group: depthwise.shape[0] ?? 1 })
    x = pooled(leaky(convolution(x, filters(`conv${n}/pointwise_filter`), [bias(`conv${n}`)])), n < BLOCKS ? 2 : 1)
  }
  graph.output('cells', convolution(x, filters('conv8/filters'), [bias('conv8')]), [1, 25, 'rows', 'columns'])
  return graph.finish()
}

/** [height, width, in, out] -> [out, in, height, width]; a depthwise filter [height, width, in, 1] -> [in, 1, height, width]. */
function channelsFirst(name: string, { shape, values }: SmallTensor, perChannel: boolean): SmallTensor {
  const [height, width, into, out, ...more] = shape
  if (height === undefined || width === undefined || into === undefined || out === undefined || more.length > 0 || (perChannel && out !== 1)) {
    throw new UserError('model-mismatch', `The face detector's tensor "${name}" has the shape [${shape.join(', ')}], expected that of a filter.`)
  }
  const area = height * width
  const swapped = new Float32Array(values.length)
  for (let at = 0; at < area; at++) {
    for (let i = 0; i < into; i++) {
      for (let o = 0; o < out; o++) swapped[(o * into + i) * area + at] = values[(at * into + i) * out + o]!
    }
  }
  // Without a second channel both orders of the numbers are one.
  return { shape: perChannel ? [into, 1, height, width] : [out, into, height, width], values: swapped }
}
