/** Which functions of a script can be reached by name from its top level, and how. */

import type { AnyNode, Class, MethodDefinition, ObjectExpression, Program, Property, PropertyDefinition } from 'acorn';

export interface FunctionPaths {
  /** By the function's node: the names that lead to it. */
  readonly paths: ReadonlyMap<AnyNode, readonly string[]>;
  readonly defaultExport: AnyNode | undefined;
}

export function collectPaths(program: Program): FunctionPaths {
  const paths = new Map<AnyNode, readonly string[]>();
  let defaultExport: AnyNode | undefined;
  for (const statement of program.body) {
    if (statement.type === 'ExportDefaultDeclaration') defaultExport = statement.declaration;
    const isExport = statement.type === 'ExportDefaultDeclaration' || statement.type === 'ExportNamedDeclaration';
    const declared: AnyNode | null | undefined = isExport ? statement.declaration : statement;
    if (declared) bindStatement(declared, paths);
  }
  return { paths, defaultExport };
}

type Paths = Map<AnyNode, readonly string[]>;

function bindStatement(node: AnyNode, paths: Paths): void {
  if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') {
    if (node.id) bind(node, [node.id.name], paths);
  } else if (node.type === 'VariableDeclaration') {
    for (const { id, init } of node.declarations) if (id.type === 'Identifier' && init) bind(init, [id.name], paths);
  } else if (node.type === 'ExpressionStatement' && node.expression.type === 'AssignmentExpression') {
    bind(node.expression, [], paths);
  }
}

/** `node` is the value found by `path`. */
function bind(node: AnyNode, path: readonly string[], paths: Paths): void {
  switch (node.type) {
    case 'AssignmentExpression': {
      const assigned = node.operator === '=' ? namesOf(node.left) : undefined;
      if (assigned !== undefined) bind(node.right, assigned, paths);
      return;
    }
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      paths.set(node, path);
      return;
    case 'ClassDeclaration':
    case 'ClassExpression':
      paths.set(node, path);
      bindClass(node, path, paths);
      return;
    case 'ObjectExpression':
      bindObject(node, path, paths);
  }
}

function bindClass(node: Class, path: readonly string[], paths: Paths): void {
  for (const part of node.body.body) {
    if (part.type === 'StaticBlock') continue;
    const key = keyOf(part);
    if (key === undefined || !part.value) continue;
    if (part.static) bind(part.value, [...path, key], paths);
    else if (part.type === 'MethodDefinition') bind(part.value, [...path, 'prototype', key], paths);
  }
}

function bindObject(node: ObjectExpression, path: readonly string[], paths: Paths): void {
  for (const property of node.properties) {
    const key = property.type === 'Property' ? keyOf(property) : undefined;
    if (key !== undefined) bind((property as Property).value, [...path, key], paths);
  }
}

/** The name under which a plain read gives the member's value. */
function keyOf(member: MethodDefinition | PropertyDefinition | Property): string | undefined {
  const isAccessor = 'kind' in member && (member.kind === 'get' || member.kind === 'set');
  if (member.computed || isAccessor) return undefined;
  if (member.key.type === 'Identifier') return member.key.name;
  return member.key.type === 'Literal' ? String(member.key.value) : undefined;
}

/** `['module', 'exports', 'run']` for `module.exports.run`. */
function namesOf(node: AnyNode): string[] | undefined {
  if (node.type === 'Identifier') return [node.name];
  if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return undefined;
  const owner = namesOf(node.object);
  return owner === undefined ? undefined : [...owner, node.property.name];
}
