// What to begin with: each text has a question that the page answers.
export interface Example {
  title: string;
  question: string;
  call: string;
  text: string;
  key?: string; // code object to show
  others?: string[]; // versions beside it
  tab?: string;
}

export const EXAMPLES: Example[] = [
  {
    title: 'A closure: outer and inner',
    question: 'Where does y live after outer has returned? Step through the run, and watch its cell.',
    call: 'outer(2, 3)(10)',
    key: 'outer.<locals>.inner',
    tab: 'cells',
    text: `def outer(a, b):
    x = a + b
    y = 42

    def inner(z):
        return x + y + z

    return inner
`,
  },
  {
    title: 'Closures in a loop',
    question: 'Why do all three buttons say 2? How many cells does the run make, and how many with the default in mended?',
    call: '[button() for button in buttons()]',
    key: 'buttons',
    tab: 'cells',
    text: `def buttons():
    made = []
    for number in range(3):
        made.append(lambda: number)
    return made


def mended():
    made = []
    for number in range(3):
        made.append(lambda number=number: number)
    return made
`,
  },
  {
    title: 'Comprehensions, inlined since 3.12',
    question: 'Where is the code object of the comprehension? Compare with 3.11, if you have one (coscope serve), or look for LOAD_FAST_AND_CLEAR.',
    call: 'squares(5)',
    key: 'squares',
    others: ['3.12', '3.13'],
    tab: 'versions',
    text: `def squares(limit):
    return [number * number for number in range(limit) if number % 2]


def lazy(limit):
    return (number * number for number in range(limit))
`,
  },
  {
    title: 'Short circuits',
    question: 'Which value is returned if a is 0? Follow the edges of the graph: where is COPY needed, and why?',
    call: 'first(0, 7)',
    key: 'first',
    tab: 'graph',
    text: `def first(a, b):
    return a or b


def between(low, x, high):
    return low < x < high


def allowed(user, admin):
    if user and not user.banned or admin:
        return "come in"
    return "stay out"
`,
  },
  {
    title: 'try and finally',
    question: 'How often does the finally clause stand in the bytecode, and which copy runs when int raises?',
    call: 'parse("x")',
    key: 'parse',
    tab: 'graph',
    text: `def parse(text):
    log = []
    try:
        number = int(text)
    except ValueError:
        log.append("no number")
        return log
    finally:
        log.append("done")
    return number
`,
  },
  {
    title: 'with',
    question: 'When is __exit__ called with three times None, and who decides whether the exception is swallowed?',
    call: 'quiet()',
    key: 'quiet',
    tab: 'graph',
    text: `class Swallow:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        return kind is ZeroDivisionError


def quiet():
    with Swallow():
        1 / 0
    return "still here"
`,
  },
  {
    title: 'match',
    question: 'Which patterns look at the class first, and which at the length? Where does a failed pattern clean the stack?',
    call: 'describe([1, 2, 3])',
    key: 'describe',
    tab: 'graph',
    text: `def describe(value):
    match value:
        case 0 | 1:
            return "a bit"
        case [first, *rest]:
            return f"{first} and {len(rest)} more"
        case {"name": str(name)}:
            return name
        case int(n) if n < 0:
            return "negative"
        case _:
            return "something else"
`,
  },
  {
    title: 'A generator',
    question: 'Where does the generator wait between two values, and what keeps its locals meanwhile?',
    call: 'list(countdown(3))',
    key: 'countdown',
    text: `def countdown(n):
    while n:
        sent = yield n
        n = n - 1 if sent is None else sent
    return "liftoff"


def chain(n):
    last = yield from countdown(n)
    print(last)
`,
  },
  {
    title: 'async and await',
    question: 'What does await compile to? Compare it with yield from in the example before.',
    call: 'gather()',
    key: 'gather',
    text: `class Ready:
    def __init__(self, value):
        self.value = value

    def __await__(self):
        return self.value
        yield


async def fetch(n):
    return await Ready(n * 10)


async def gather():
    total = 0
    for n in range(3):
        total += await fetch(n)
    return total
`,
  },
  {
    title: 'Decorators',
    question: 'In which order are the decorators evaluated, and in which are they called? Which cells does wrapper share?',
    call: 'greet("you")',
    tab: 'cells',
    key: 'repeat.<locals>.decorate.<locals>.wrapper',
    text: `def repeat(times):
    def decorate(function):
        calls = 0

        def wrapper(*args):
            nonlocal calls
            calls += 1
            return [function(*args) for _ in range(times)], calls

        return wrapper

    return decorate


@repeat(2)
def greet(name):
    return "hello " + name
`,
  },
  {
    title: 'Class bodies and __class__',
    question: 'Who makes the cell __class__, and when is it filled? What has super() to do with it?',
    call: 'Child().name()',
    key: 'Child',
    tab: 'cells',
    text: `class Base:
    def name(self):
        return "base"


class Child(Base):
    limit = 3
    squares = [n * n for n in range(limit)]

    def name(self):
        return "child of " + super().name()
`,
  },
  {
    title: 'f-strings',
    question: 'Which parts become constants, and when is format called? In 3.14 and later try a t-string: t"{name}".',
    call: 'greeting("Ada", 3.14159)',
    key: 'greeting',
    others: ['3.12'],
    tab: 'versions',
    text: `def greeting(name, number):
    text = f"hello {name!r:>8}, {number:.2f}"
    return text + f"{text=}"
`,
  },
  {
    title: 'Constant folding',
    question: 'Which of these are computed when the code is compiled? Which branch is not there at all, and what do other versions fold?',
    call: 'seconds()',
    key: 'seconds',
    others: ['3.12', '3.13', '3.15'],
    tab: 'versions',
    text: `def seconds():
    day = 24 * 60 * 60
    if 0:
        print("never")
    big = "x" * 5000
    small = ("a", "b") + ("c",)
    return day, small, -1 ** 2, 3 in {1, 2, 3}, big[:2]
`,
  },
];
