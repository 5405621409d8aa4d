/** DER (ITU-T X.690), the only encoding that certificates may use. */
import { fromBER } from 'asn1js';
import { toHex } from '../../shared/bytes.ts';

/** The value, or null if the bytes are not its DER. Without this check, the library accepts other encodings too. */
export function parseDer(der: ArrayBuffer): ReturnType<typeof fromBER>['result'] | null {
  try {
    const { result, offset } = fromBER(der);
    if (offset < 0) return null;
    return toHex(new Uint8Array(result.toBER())) === toHex(new Uint8Array(der)) ? result : null;
  } catch {
    // The library throws for some values, such as times.
    return null;
  }
}
