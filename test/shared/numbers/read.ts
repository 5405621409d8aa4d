/**
 * Parses a text and formats the result in one line.
 */
import { toE164 } from '../../../shared/numbers/number.ts';
import { type InternationalPrefix, parseParty } from '../../../shared/numbers/parse.ts';
import type { ParsedParty } from '../../../shared/numbers/party.ts';

/** The result in one line: `+82…`, `00700 +44…`, `+82… or +44…`, `short 112`, `local 2123`, `source X` or the code. */
export function read(text: string, internationalPrefix: InternationalPrefix | null = null): string {
  return line(parseParty(text, { internationalPrefix, carrierPrefix: null }));
}

function line(party: ParsedParty): string {
  switch (party.kind) {
    case 'number':
      return `${party.carrierPrefix === null ? '' : `${party.carrierPrefix} `}${toE164(party.n)}`;
    case 'ambiguous':
      return party.readings.map(line).join(' or ');
    case 'shortCode':
      return `short ${party.code}`;
    case 'localNumber':
      return `local ${party.digits}`;
    case 'source':
      return `source ${party.text}`;
    case 'invalid':
      return party.code;
  }
}
