import type { Box } from '../contract/basics.ts'
import { bytesOf, type Coverage, type Rgb, type Samples } from './image/raster.ts'
import { resizeLinear, resizeSmooth } from './image/resize.ts'
