/**
 * Loads roaring-wasm in workerd. The package contains its code as bytes, which a Worker may not compile. The
 * bundle therefore provides the same code as a compiled module.
 */
import code from 'roaring-wasm/browser/index.wasm';

export async function openRoaring(): Promise<typeof import('roaring-wasm')> {
  const instantiate = WebAssembly.instantiate;
  const given = async (_bytes: unknown, imports?: WebAssembly.Imports) => ({
    module: code,
    instance: await instantiate(code, imports),
  });
  // The cast is needed because the runtime's declaration accepts no bytes.
  WebAssembly.instantiate = given as unknown as typeof instantiate;
  try {
    const roaring = await import('roaring-wasm');
    await roaring.roaringLibraryInitialize();
    return roaring;
  } finally {
    WebAssembly.instantiate = instantiate;
  }
}
