/**
 * The bytes that open a value. A message is one value; little-endian, for one machine only.
 *
 *     0x00–0x3f  one of the tags below, then what its line says
 *     0x40–0x7f  a string of 0 to 63 Latin-1 characters, its length in the low bits
 *     0x80–0xff  an integer from 0 to 127, in the low bits
 *
 * *varint*: seven bits a byte, low ones first, the top bit says that more follow. *run*: a varint of twice the number
 * of bytes, plus one when they are the next blob and not inline. Objects, arrays, functions and everything else that
 * has an identity are numbered in the order in which their tags appear; `REFERENCE` repeats one by its number.
 */

export const UNDEFINED = 0x00;
export const NULL = 0x01;
export const FALSE = 0x02;
export const TRUE = 0x03;
/** Four bytes. */
export const INT32 = 0x04;
/** Eight bytes. */
export const DOUBLE = 0x05;
/** varint length, that many bytes. */
export const LATIN1 = 0x06;
/** varint number of bytes, UTF-16 code units, lone surrogates and all. */
export const UTF16 = 0x07;
/** A bigint of 64 bits: eight bytes. */
export const BIGINT64 = 0x08;
/** Any other bigint: a string of hexadecimal digits, `-` before a negative one. */
export const BIGINT = 0x09;
/** varint number of the object. */
export const REFERENCE = 0x0a;
/** Stands for an element or a property that is not there. */
export const HOLE = 0x0b;

/** A shape (varint bytes of what follows, varint count, the keys as strings), then a value or `HOLE` for each key. */
export const OBJECT = 0x0c;
/** varint number of a shape that an earlier `OBJECT` brought, then the values. */
export const OBJECT_AGAIN = 0x0d;
/** varint count, then key and value by turns: an object with too many keys to remember their list. */
export const DICTIONARY = 0x0e;

/** varint length, then the elements; `SPARSE` in the place of one says that the rest comes another way. */
export const ARRAY = 0x0f;
/** As `ARRAY`, then varint count, then key and value of each property that is no element. */
export const ARRAY_NAMED = 0x10;
/** varint count, then index (a DOUBLE's eight bytes) and value of the remaining elements that exist. */
export const SPARSE = 0x11;
/** varint length, run of 32-bit integers: an array of only such. */
export const ARRAY_INT32 = 0x12;
/** varint length, run of doubles: an array of only numbers. */
export const ARRAY_DOUBLE = 0x13;

/** varint count, then key and value by turns. */
export const MAP = 0x14;
/** varint count, then the members. */
export const SET = 0x15;
/** Eight bytes, NaN for an invalid one. */
export const DATE = 0x16;
/** Source and flags, two strings. */
export const REGEXP = 0x17;
/** A primitive: what is inside the Number, String, Boolean or BigInt object. */
export const BOXED = 0x18;

/** run. */
export const ARRAY_BUFFER = 0x19;
/** varint maxByteLength, run. */
export const ARRAY_BUFFER_RESIZABLE = 0x1a;
/** A byte for the class, varint byteOffset, varint length (0: follows its buffer; else 1 more than it), the buffer. */
export const VIEW = 0x1b;
/** run: the bytes of a Node Buffer. */
export const BUFFER = 0x1c;

/** See `error-write.ts`. */
export const ERROR = 0x1d;
/** Three values: its image, the captured variables that must be there to make it, or `undefined`, and the others. */
export const FUNCTION = 0x1e;

/** Its description, a value: a shared object, which is not copied. */
export const HANDLE = 0x1f;
/** varint number of a SharedArrayBuffer that travels beside the message, between threads. */
export const SHARED_MEMORY = 0x20;

export const SHORT_STRING = 0x40;
export const SHORT_STRING_MAX = 0x3f;
export const SMALL_INT = 0x80;
export const SMALL_INT_MAX = 0x7f;
