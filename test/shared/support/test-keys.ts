/**
 * Public list keys for tests: LIST_KEY is the bytes 00 to 1f. Tests and vectors use no other.
 */
import { deriveListKeys } from '../../../shared/set/keys.ts';

export const TEST_LIST_KEY: Uint8Array<ArrayBuffer> = Uint8Array.from({ length: 32 }, (_, index) => index);

export const testKeys = await deriveListKeys(TEST_LIST_KEY);
