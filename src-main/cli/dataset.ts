import type { Command } from 'commander'
import { addDatasetBuild } from './dataset-build.ts'
import { addDatasetCheck } from './dataset-check.ts'
import { addDatasetOut } from './dataset-out.ts'
import { addDatasetRelink } from './dataset-relink.ts'

export function addDataset(program: Command): void {
  const dataset = program.command('dataset').description('quadruplets (photo, mask, subject, regional text) out of a folder of photos')
  addDatasetBuild(dataset)
  addDatasetCheck(dataset)
  addDatasetOut(dataset)
  addDatasetRelink(dataset)
}
