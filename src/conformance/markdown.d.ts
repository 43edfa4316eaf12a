/** A page named as an import of type `text`. */
declare module "*.md" {
  const text: string;
  export default text;
}
