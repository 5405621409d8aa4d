/**
 * The level of the coordinator's storage, for the coordinator, its log and `status`.
 */
import { STORAGE_CRITICAL_SHARE, STORAGE_FULL_SHARE, STORAGE_WARNING_SHARE } from './limits/control.ts';

export type StorageLevel = 'normal' | 'warning' | 'critical' | 'full';

/** @param share used share of STORAGE_BYTES_MAX */
export function storageLevel(share: number): StorageLevel {
  if (share >= STORAGE_FULL_SHARE) return 'full';
  if (share >= STORAGE_CRITICAL_SHARE) return 'critical';
  return share >= STORAGE_WARNING_SHARE ? 'warning' : 'normal';
}

/** Storage of the coordinator. Older coordinators omit some fields. */
export interface StorageInfo {
  readonly storageBytes?: number;
  readonly storageBytesMax?: number;
  readonly storageLevel?: StorageLevel;
}
