/** Wasm modules of a bundle, compiled by the runtime. */
declare module '*.wasm' {
  const code: WebAssembly.Module;
  export default code;
}
