import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import ts from 'typescript-eslint'

export default ts.config(
  { ignores: ['out/', 'dist/', '.electron/', '.cache/', 'node_modules/', 'resources/', 'training/', 'test/bench/peers/', 'src-main/engine/graphs/onnx/'] },
  ...ts.configs.recommended,
  ...svelte.configs['flat/recommended'],
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A promise that nobody waits for is how a failure gets lost; these two need types, the rest of the typed rules cost more time than they find.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false, attributes: false } }],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { globals: globals.browser, parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'] } },
  },
  { files: ['build/**', '*.config.*'], languageOptions: { globals: globals.node } },
  {
    files: ['src-main/**', 'src-renderer/**', 'test/**'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      // `!= null` asks for both kinds of nothing.
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      // Caches and listeners of a class are Maps and Sets that nothing on the screen reads.
      'svelte/prefer-svelte-reactivity': 'off',
      'no-eval': 'error',
      'no-implied-eval': 'error',
    },
  },
)
