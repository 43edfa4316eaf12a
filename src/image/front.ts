/** What an image says of its partition before its data begin. */
export interface Front {
  /** `partclone 0001`, `partclone 0002`, `ntfsclone 10.1`, … */
  readonly format: string;
  /** The file system as the image names it: `EXTFS`, `NTFS`, … */
  readonly fsType: string;
  /** Exact size of the partition in bytes. */
  readonly deviceSize: number;
  /** Bytes of the partition that are stored; of ntfsclone's the header's own count. */
  readonly storedBytes: number;
}
