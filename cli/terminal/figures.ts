/** Formats figures. */

export function count(value: number): string {
  return value.toLocaleString('en');
}

/** `1 segment`, `2 segments`. @param noun with a regular plural */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** A share in percent, with at most two decimals. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
