import { parentPort, workerData } from 'node:worker_threads'
import { failureOf } from '../failures.ts'
import { recognise } from './recognise.ts'

// Says what one path is, then ends. A thread of its own, because files from anywhere are read here: one that keeps the reader busy is ended with it.
recognise(String(workerData)).then(
  (value) => parentPort?.postMessage({ ok: true, value }),
  (error: unknown) => parentPort?.postMessage({ ok: false, failure: failureOf(error) }),
)
