/**
 * The authority: the one object that decides the head.
 */
import { DurableObject } from 'cloudflare:workers';
import type { ControlEnv } from '../env.ts';
import type { Asking, HeadAnswer, HeadSource } from './head-source.ts';

export class Authority extends DurableObject<ControlEnv> implements HeadSource {
  async head(_asking: Asking): Promise<HeadAnswer> {
    return { seq: 0, sealed: null };
  }

  async value(_key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return null;
  }
}
