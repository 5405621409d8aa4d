/** What the bench uses of the package, whose own types bring those of Node into a Worker. */
export class BloomFilter {
  static create(numbers: number, wrong: number): BloomFilter;
  add(element: string): void;
  has(element: string): boolean;
}
