"""Makes reference sets of the public kinds with other seeds, widths, depths and sizes; see README.md."""
import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import networks  # noqa: E402

KINDS = ('paint-by-example', 'sd15-inpaint', 'ip-adapter-plus', 'largen-sd15', 'sdxl-base', 'largen-sdxl')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('kinds', nargs='+', choices=[*KINDS, 'all'])
    parser.add_argument('--root', required=True, help='folder to make the sets in, each as KIND + ENDING')
    parser.add_argument('--ending', default='')
    parser.add_argument('--seed', type=int, required=True, help='decides weights, inputs and, where nothing else is said, shapes')
    for name in ('width', 'levels', 'layers', 'size'):
        parser.add_argument(f'--{name}', type=int)
    parser.add_argument('--form', choices=networks.FORMS, help='form of all files of weights')
    options = parser.parse_args()
    for kind in KINDS if 'all' in options.kinds else options.kinds:
        shape = networks.Shape(options.seed, options.width, options.levels, options.layers, options.size)
        if options.form:
            shape.form = dict.fromkeys(shape.form, options.form)
        module = __import__(kind.replace('-', '_'))
        folder = os.path.join(options.root, kind + options.ending)
        module.make(folder, shape)
        print(folder)


if __name__ == '__main__':
    main()
