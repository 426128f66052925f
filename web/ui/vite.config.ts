import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

// The built files keep their names, so that a change of the source changes few files of
// the committed bundle; the server tells versions apart by their content.
const names = {
  entryFileNames: 'assets/[name].js',
  chunkFileNames: 'assets/[name].js',
  assetFileNames: 'assets/[name][extname]',
};

// What the bundle contains of others is under licences that want their text to come along.
const licences: Plugin = {
  name: 'licences',
  generateBundle() {
    const texts = ['preact', '@preact/signals', '@preact/signals-core'].map(name => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, 'utf8')}`);
    this.emitFile({ type: 'asset', fileName: 'assets/licences.txt', source: texts.join('\n') });
  },
};

export default defineConfig({
  plugins: [licences],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // the page's policy allows no data: addresses
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: { output: names },
  },
  worker: { format: 'es', rollupOptions: { output: names } },
  server: { proxy: { '/api': 'http://127.0.0.1:8080' } },
});
