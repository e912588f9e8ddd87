import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInThisContext } from 'node:vm';
import { type Declared, type FunctionShape, ModuleShape } from '../../src/codec/free-names.ts';
import { locateFunction } from '../../src/codec/function-inspect.ts';
import type { AnyFunction } from '../../src/codec/types.ts';

/** The shape of the function whose parameters (or text, for arrows and classes) stand behind the mark `@`. */
function shapeIn(marked: string): FunctionShape {
  const before = marked.slice(0, marked.indexOf('@')).split('\n');
  const shape = new ModuleShape(marked.replace('@', '')).functionAt(before.length - 1, before.at(-1)!.length);
  assert.ok(shape, marked);
  return shape;
}

function freeIn(marked: string, where: Declared): string[] {
  return shapeIn(marked)
    .free.filter((free) => free.where === where)
    .map(({ name }) => name);
}

const captured = (marked: string): string[] => freeIn(marked, 'captured');

test('V8 locates each kind of function where its shape is looked up', () => {
  const kinds: Record<string, string> = {
    declaration: '(() => { function /* ( */ name (a) {} return name })()',
    anonymous: '(function /* ( */ () {})',
    named: '(function name () {})',
    asyncFunction: '(async /* x */ function () {})',
    generator: '(function * () { yield 1 })',
    asyncGenerator: '(async function* name () {})',
    arrow: '((a) => a)',
    bareArrow: '(a => a)',
    asyncArrow: '(async  a => a)',
    method: '({ name() {} }).name',
    asyncMethod: '({ async *name() {} }).name',
    computedMethod: '({ ["a" + 1]() {} }).a1',
    getter: 'Object.getOwnPropertyDescriptor({ get name() { return 1 } }, "name").get',
    property: '({ name: function () {} }).name',
    class: '(class { m() {} })',
    constructed: '(class { m() {} constructor(a) {} })',
    derived: '(class Name extends Object { x = 1 })',
    classMethod: '(class { m() {} }).prototype.m',
    staticMethod: '(class { static /* ( */ async name() {} }).name',
    privateMethod: '(class { #p() {} static get() { return new this().#p } }).get()',
    field: 'new (class { f = () => 1 })().f',
    staticField: '(class { static f = function () {} }).f',
  };
  for (const [kind, text] of Object.entries(kinds)) {
    const source = `\n'\u2028';\r\n  ${text}`;
    const fn = runInThisContext(source) as AnyFunction;
    const where = locateFunction(fn);
    assert.ok(typeof where !== 'string');
    const shape = new ModuleShape(source).functionAt(where.line, where.column);
    assert.equal(shape?.source, Function.prototype.toString.call(fn), kind);
    const again = runInThisContext(`[${shape.expression}][0]`) as AnyFunction;
    assert.equal(typeof again, 'function', kind);
    assert.equal(
      shape.expression.slice(shape.expressionOffset).startsWith(shape.source.slice(0, 3)),
      !['getter', 'privateMethod', 'computedMethod'].includes(kind),
      kind,
    );
  }
});

test('a name is captured when a function or block around declares it, and not when the module does', () => {
  const marked = 'import i from "x"; const m = 1; { const b = 2; function f(p) { let l; @() => [i, m, b, p, l, g] } }';
  assert.deepEqual(captured(marked), ['b', 'p', 'l']);
  assert.deepEqual(freeIn(marked, 'module'), ['i', 'm']);
  assert.deepEqual(freeIn(marked, 'global'), ['g']);
});

test('what a function declares itself is not free', () => {
  const around = 'var a, b, c, d, e, g, h, k, l, n, o, q;';
  const inside = `var a; function b() {} class c {} { let d; d } for (const e of []) e; try {} catch ({ g }) { g }
    { function h() { h } } o: for (;;) { break o } k; var k; l({ q: 1 }.q)`;
  assert.deepEqual(
    captured(`function f() { ${around} return function @(l, { n } = {}, [...z]) { ${inside}; n; z } }`),
    [],
  );
});

test('defaults, destructuring, shorthand properties and nested functions count', () => {
  assert.deepEqual(captured('function f(a, b, c, d, e) { @({ x = a, [b]: y }, z = c) => () => ({ d, e: 1, y, z }) }'), [
    'a',
    'b',
    'c',
    'd',
  ]);
  assert.deepEqual(captured('function f(a, b) { @() => { ({ a, q: b } = {}) } }'), ['a', 'b']);
});

test('the default of a parameter does not see the variables of the body', () => {
  assert.deepEqual(captured('function f(x) { return function @(a = () => x) { var x } }'), ['x']);
});

test('a declaration knows its own name, and an arrow function is captured by itself', () => {
  assert.deepEqual(captured('function f() { function g@() { g() } }'), []);
  assert.deepEqual(captured('function f() { class G @{} }'.replace('class G @', '@class G ')), []);
  assert.deepEqual(captured('function f() { const g = @() => g() }'), ['g']);
});

test('in sloppy code a function in a block is visible around it', () => {
  assert.deepEqual(captured('var h; function f() { return function @() { { function h() {} } h() } }'), []);
  assert.deepEqual(freeIn('export var h; function f() { return function @() { { function h() {} } h() } }', 'module'), [
    'h',
  ]);
});

test('tells what has no name that it could be passed under', () => {
  const lexical = (marked: string) => shapeIn(marked).lexical;
  assert.deepEqual(lexical('function f() { @() => this }'), ['this']);
  assert.deepEqual(lexical('function f() { @() => [new.target, arguments] }'), ['new.target', 'arguments']);
  assert.deepEqual(lexical('class A { #p; m() { @() => this.#p } }'), ['this', '#p']);
  assert.deepEqual(lexical('class A { f = @() => this }'), ['this']);
  assert.deepEqual(lexical('class A extends B { m@() { super.m() } }'), ['super']);
  assert.deepEqual(lexical('@() => this'), []);
  assert.deepEqual(lexical('@() => arguments'), []);
  assert.deepEqual(lexical('function f() { return function @() { return [this, arguments, new.target] } }'), []);
  assert.deepEqual(lexical('function f() { return @class extends f { #p; m() { super.m(this.#p) } } }'), []);
});

test('replaces import.meta by a name of the same length', () => {
  const { expression, source } = shapeIn('f(@() => import.meta.url + import\n. meta.url)');
  assert.equal(source, '() => import.meta.url + import\n. meta.url');
  assert.equal(expression, '() => __import_mt.url + __import_mt\n  .url');
});

test('gives the names that lead to a function from the top level, and no others', () => {
  const path = (marked: string) => shapeIn(marked).path?.join('.');
  assert.equal(path('export function f@() {}'), 'f');
  assert.equal(path('export const f = @() => 1'), 'f');
  assert.equal(path('const f = (@() => 1)'), 'f');
  assert.equal(path('let a = { b: { c@() {} } }'), 'a.b.c');
  assert.equal(path('class A { static s@() {} }'), 'A.s');
  assert.equal(path('class A { static s = @() => 1 }'), 'A.s');
  assert.equal(path('class A { m@() {} }'), 'A.prototype.m');
  assert.equal(path('exports.a = module.exports.b = @() => 1'), 'module.exports.b');
  assert.equal(path('module.exports = @() => 1'), 'module.exports');
  assert.equal(path('const f = wrap(@() => 1)'), undefined);
  assert.equal(path('const f = x ? @() => 1 : y'), undefined);
  assert.equal(path('{ function f@() {} }'), undefined);
  assert.equal(path('const o = { get g@() {} }'), undefined);
  assert.equal(path('const o = { [k]@() {} }'), undefined);
});

test('knows the default export', () => {
  assert.equal(shapeIn('export default function @() {}').isDefaultExport, true);
  assert.equal(shapeIn('export default @async () => 1').isDefaultExport, true);
  assert.equal(shapeIn('export default @class {}').isDefaultExport, true);
  assert.equal(shapeIn('export function f@() {}').isDefaultExport, false);
});

test('tells what a class reads as soon as it is evaluated', () => {
  const { free, baseName } = shapeIn(
    'function f(B, k, s, b, m, i) { return @class extends B { [k]() { m } static x = s; static { b } y = i } }',
  );
  assert.equal(baseName, 'B');
  assert.deepEqual(
    free.filter(({ isReadAtOnce }) => isReadAtOnce).map(({ name }) => name),
    ['B', 'k', 's', 'b'],
  );
  assert.equal(free.length, 6);
});

test('reads modules, CommonJS and classic scripts, with a #! line', () => {
  assert.deepEqual(freeIn('#!/usr/bin/env node\nreturn; function f@() { a }', 'global'), ['a']);
  assert.deepEqual(freeIn('with (x) { y } function f@() { await; x }', 'global'), ['await', 'x']);
  assert.deepEqual(freeIn('await using(x); function f@() { x }', 'global'), ['x']);
  assert.throws(() => new ModuleShape('function ('), SyntaxError);
});
