/**
 * roaring-wasm in workerd: it brings its code as bytes, which a Worker may not compile, so it is given the
 * module of the same code that the bundle holds.
 */
import code from 'roaring-wasm/browser/index.wasm';

export async function openRoaring(): Promise<typeof import('roaring-wasm')> {
  const instantiate = WebAssembly.instantiate;
  const given = async (_bytes: unknown, imports?: WebAssembly.Imports) => ({
    module: code,
    instance: await instantiate(code, imports),
  });
  // Declared as the runtime has it, which takes no bytes.
  WebAssembly.instantiate = given as unknown as typeof instantiate;
  try {
    const roaring = await import('roaring-wasm');
    await roaring.roaringLibraryInitialize();
    return roaring;
  } finally {
    WebAssembly.instantiate = instantiate;
  }
}
