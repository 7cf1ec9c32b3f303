import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

// Three projects, so that `npm test` can run the cheap one while the application is built:
//   unit    modules on their own, in Node; the reference sets
//   e2e     the built application in a real window
//   faults  killed processes, full disks, broken files
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [svelte()],
        // Svelte's own package resolves to its server build in Node unless the browser condition is asked for.
        resolve: { conditions: ['browser'] },
        test: { name: 'unit', include: ['test/unit/**/*.test.ts', 'test/parity/**/*.test.ts'], environment: 'node', testTimeout: 30_000 },
      },
      {
        // One window at a time: two cores, one display, one graphics process.
        test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], environment: 'node', fileParallelism: false, testTimeout: 300_000, hookTimeout: 120_000 },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          environment: 'node',
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
