/** The keys that replace the test keys in a rotation: LIST_KEY is 32 bytes of 0b. */
import { deriveListKeys, LIST_KEY_BYTES } from '../../../shared/set/keys.ts';

export const OTHER_LIST_KEY: Uint8Array<ArrayBuffer> = new Uint8Array(LIST_KEY_BYTES).fill(0xb);

export const otherKeys = await deriveListKeys(OTHER_LIST_KEY);
