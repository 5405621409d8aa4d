/** Formats figures. */

export function count(value: number): string {
  return value.toLocaleString('en');
}

/** A share in percent, with at most two decimals. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
