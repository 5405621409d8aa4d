/**
 * How figures are told.
 */

export function count(value: number): string {
  return value.toLocaleString('en');
}

/** A share in percent, with two places at the most. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
