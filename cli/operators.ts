/**
 * Names of mobile operators by MCC and MNC, from the npm package mcc-mnc-list (MIT, based on Wikipedia). They
 * help people find and recognise a code. No decision uses them, because codes come and go.
 */
import list, { type Operator } from 'mcc-mnc-list';

export interface NamedOperator {
  /** MCC and MNC, 5 or 6 digits, as in lists and gateway requests. */
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

/**
 * Operators that match all words: the code must begin with each word of digits, and the name or country must
 * contain each other word.
 */
export function operatorsLike(words: readonly string[]): NamedOperator[] {
  const wanted = words.map((word) => word.toLowerCase());
  return operators.filter((each) => {
    const text = `${each.name} ${each.country}`.toLowerCase();
    return wanted.every((word) =>
      /^[\d-]+$/.test(word) ? each.operator.startsWith(word.replaceAll('-', '')) : text.includes(word),
    );
  });
}

/** `Globe, Globe Telecom (Philippines)`, or null for a code without a name. */
export function operatorName(code: string): string | null {
  const found = operators.find(({ operator }) => operator === code);
  return found === undefined ? null : `${found.name} (${found.country})`;
}
