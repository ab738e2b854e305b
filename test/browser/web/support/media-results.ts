// What the page of the media tests tells.

export interface Seen {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of the pixel in the upper left corner. */
  readonly corner: readonly number[];
}

export interface Shrunk {
  readonly name: string;
  readonly size: number;
  readonly isAsLongAsSaid: boolean;
  readonly preview: number;
  readonly beginning: string;
  readonly file: Seen;
  readonly previewSeen: Seen;
  readonly hasExif: boolean;
}

export interface Recorded {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly seconds: number;
  /** Of what can be heard. */
  readonly duration: number;
}
