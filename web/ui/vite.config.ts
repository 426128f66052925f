import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

// The built files keep their names, so that a change of the source changes few files of
// the committed bundle; the server tells versions apart by their content.
const names = {
  entryFileNames: 'assets/[name].js',
  // What the first screen and those that are loaded later have in common is one more file of the first paint.
  chunkFileNames: (chunk: { isDynamicEntry: boolean }) => chunk.isDynamicEntry ? 'assets/[name].js' : 'assets/shared.js',
  assetFileNames: 'assets/[name][extname]',
};

// What the bundle contains of others is under licences that want their text to come along.
const others = {
  preact: 'LICENSE', '@preact/signals': 'LICENSE', '@preact/signals-core': 'LICENSE',
  jssip: 'LICENSE.md', debug: 'LICENSE', events: 'LICENSE', ms: 'license.md', 'sdp-transform': 'LICENSE',
};
const licences: Plugin = {
  name: 'licences',
  generateBundle() {
    const texts = Object.entries(others).map(([name, file]) => `${name}\n\n${readFileSync(`node_modules/${name}/${file}`, 'utf8')}`);
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
  server: { proxy: { '/api': 'http://127.0.0.1:8080', '/sip': { target: 'ws://127.0.0.1:8080', ws: true } } },
});
