/**
 * The part of the package that the benchmark uses. The package's own types would bring Node types into a
 * Worker.
 */
export class BloomFilter {
  static create(numbers: number, wrong: number): BloomFilter;
  add(element: string): void;
  has(element: string): boolean;
}
