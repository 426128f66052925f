import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

// The built files keep their names, so that a change of the source changes few files of
// the committed bundle; the server tells versions apart by their content.
const names = {
  entryFileNames: 'assets/[name].js',
  // What the first screen and those that are loaded later have in common besides base and past (shared, below) is one more
  // file of the first paint.
  chunkFileNames: (chunk: { isDynamicEntry: boolean; name: string }) => chunk.isDynamicEntry || chunk.name === 'base' || chunk.name === 'past' || chunk.name === 'said' ? 'assets/[name].js' : 'assets/shared.js',
  assetFileNames: 'assets/[name][extname]',
};

// What several files share is in files with names of their own: base what everything is made of, past what the screens
// of history, reports and call paths have in common.
function shared(id: string): string | undefined {
  if (/\/src\/history\/(words|period|story|history\.css)/.test(id)) return 'past';
  if (/\/src\/ui\/|\/src\/(api|clock|drafts|i18n|live|prefs|session)\.ts|\/node_modules\/(preact|@preact)\/|vite\/preload-helper/.test(id)) return 'base';
  return undefined;
}

// What the bundle contains of others is under licences that want their text to come along.
const others = {
  preact: 'LICENSE', '@preact/signals': 'LICENSE', '@preact/signals-core': 'LICENSE',
  jssip: 'LICENSE.md', debug: 'LICENSE', events: 'LICENSE', ms: 'license.md', 'sdp-transform': 'LICENSE', uplot: 'LICENSE',
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
    rollupOptions: { output: { ...names, manualChunks: shared } },
  },
  worker: { format: 'es', rollupOptions: { output: names } },
  server: { proxy: { '/api': 'http://127.0.0.1:8080', '/sip': { target: 'ws://127.0.0.1:8080', ws: true } } },
});
