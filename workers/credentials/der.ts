/** DER (ITU-T X.690): the one encoding of a value that certificates may use. */
import { fromBER } from 'asn1js';
import { toHex } from '../../shared/bytes.ts';

/** The value, or null if the bytes are not its DER. The library alone also reads wrong lengths and other encodings. */
export function parseDer(der: ArrayBuffer): ReturnType<typeof fromBER>['result'] | null {
  try {
    const { result, offset } = fromBER(der);
    if (offset < 0) return null;
    return toHex(new Uint8Array(result.toBER())) === toHex(new Uint8Array(der)) ? result : null;
  } catch {
    // It throws at some values, such as times.
    return null;
  }
}
