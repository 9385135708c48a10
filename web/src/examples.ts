// What to begin with: each text has a question that the page answers.
export interface Example { name: string; question: string; call: string; text: string; key?: string; others?: string[] }

export const EXAMPLES: Example[] = [
  {
    name: 'A closure: outer and inner',
    question: 'Where does y live after outer has returned? Step through the run, and watch the cell.',
    call: 'outer(2, 3)(10)',
    text: `def outer(a, b):
    x = a + b
    y = 42

    def inner(z):
        return x + y + z

    return inner
`,
    key: 'outer.<locals>.inner',
  },
];
