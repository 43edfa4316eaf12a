/** WebAssembly named as an import of type `file`: where it is, on the disk or in an executable. */
declare module "*.wasm" {
  const path: string;
  export default path;
}
