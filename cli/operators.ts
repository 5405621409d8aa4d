/**
 * Names of mobile operators by MCC and MNC, from the npm package mcc-mnc-list (MIT, after Wikipedia). For
 * people to find a code and to recognise one; nothing is decided by it, since codes come and go.
 */
import list, { type Operator } from 'mcc-mnc-list';

export interface NamedOperator {
  /** MCC and MNC, 5 or 6 digits, as lists and gateways write them. */
  readonly operator: string;
  readonly name: string;
  readonly country: string;
  readonly status: string;
}

const operators: readonly NamedOperator[] = list
  .all()
  .filter(({ mcc, mnc }) => /^\d{3}$/.test(mcc ?? '') && /^\d{2,3}$/.test(mnc ?? ''))
  .map(namedOf);

function namedOf({ mcc, mnc, brand, operator, countryName, status }: Operator): NamedOperator {
  const names = [brand, operator].filter((name) => name !== null && name !== '');
  return {
    operator: mcc + mnc,
    name: [...new Set(names)].join(', '),
    country: countryName ?? '',
    status: status ?? '',
  };
}

/** Operators whose code begins with a word of digits, and whose name or country has each other word. */
export function operatorsLike(words: readonly string[]): NamedOperator[] {
  const wanted = words.map((word) => word.toLowerCase());
  return operators.filter((each) => {
    const text = `${each.name} ${each.country}`.toLowerCase();
    return wanted.every((word) =>
      /^[\d-]+$/.test(word) ? each.operator.startsWith(word.replaceAll('-', '')) : text.includes(word),
    );
  });
}

/** `Globe, Globe Telecom (Philippines)`, or null for a code that has no name. */
export function operatorName(code: string): string | null {
  const found = operators.find(({ operator }) => operator === code);
  return found === undefined ? null : `${found.name} (${found.country})`;
}
