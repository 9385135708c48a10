"""Sources and steps as data: what calls and attributes give, and which calls keep a value."""

from __future__ import annotations

import re
from functools import cache

# The kinds of sources, the one that says the most first.
NETWORK, INPUT, MODEL, DATABASE = "network", "input", "model", "database"
ENVIRONMENT, FILE, PARAMETER = "environment", "file", "parameter"
UNKNOWN, SAFE, CONSTANT = "unknown", "safe", "constant"
RANK = {
    kind: at
    for at, kind in enumerate(
        (
            *(NETWORK, INPUT, MODEL, DATABASE, ENVIRONMENT, FILE, PARAMETER),
            *(UNKNOWN, SAFE, CONSTANT),
        )
    )
}
COMES = {
    NETWORK: "comes over the network",
    INPUT: "is what a user enters",
    MODEL: "is a model's answer",
    DATABASE: "comes from a database",
    ENVIRONMENT: "comes from the environment",
    FILE: "is read from a file",
}

# What a dotted path names, whole or from a dot on: with aliases resolved, and with parameters as
# the first name ("request.args", "self.request.GET").
_PATHS: tuple[tuple[str, str], ...] = (
    (
        NETWORK,
        r"(?:request|req|flask_request|http_request)\.(?:args|form|values|json|data|files|cookies"
        r"|headers|GET|POST|FILES|COOKIES|META|body|query|query_params|query_string|params"
        r"|path_params|match_info|rel_url|url|path|full_path|stream|text|read|post|get_json|get_data"
        r"|get_argument|arguments|get_body_argument|content|media|bounded_stream|raw_post_data"
        r"|environ|view_args|matchdict|POST_DATA|input|rfile|uri|recv|match)",
    ),
    (NETWORK, r"self\.(?:rfile|headers|get_argument|get_arguments|get_query_argument)"),
    (NETWORK, r"self\.get_body_argument"),
    (
        NETWORK,
        r"(?:requests|httpx|session|client|http)\.(?:get|post|put|patch|request|send|stream)",
    ),
    (NETWORK, r"(?:bottle|cherrypy|flask|web|falcon|sanic|quart)\.(?:request|input)"),
    (NETWORK, r"urllib2?\.(?:request\.)?(?:urlopen|urlretrieve)|urlopen"),
    (NETWORK, r"urllib3\.(?:PoolManager|request|HTTPConnectionPool|HTTPSConnectionPool)"),
    (NETWORK, r"http\.client\.HTTPS?Connection|ftplib\.FTP|poplib\.POP3|imaplib\.IMAP4"),
    (NETWORK, r"aiohttp\.(?:ClientSession|request)|websockets?\.(?:connect|create_connection)"),
    (NETWORK, r"socket\.(?:socket|create_connection)|zmq\.Context|xmlrpc\.client\.ServerProxy"),
    (INPUT, r"builtins\.(?:input|raw_input)|sys\.argv|sys\.orig_argv|sys\.stdin"),
    (INPUT, r"fileinput\.(?:input|FileInput)|getpass\.getpass|typer\.prompt|docopt\.docopt"),
    (INPUT, r"click\.(?:prompt|get_text_stream|get_binary_stream|edit)"),
    (INPUT, r"argparse\.ArgumentParser|optparse\.OptionParser|getopt\.(?:gnu_)?getopt"),
    (INPUT, r"prompt_toolkit\.prompt|questionary\.\w+|inquirer\.\w+|tkinter\.simpledialog\.\w+"),
    (INPUT, r"\w*\.QInputDialog\.\w+|pyperclip\.paste|readline\.get_line_buffer"),
    (INPUT, r"streamlit\.(?:text_input|text_area|chat_input|file_uploader|query_params)"),
    (ENVIRONMENT, r"os\.(?:environ|environb|getenv|getenvb)|decouple\.config|\w+\.environ"),
    (ENVIRONMENT, r"dotenv\.(?:dotenv_values|get_key)"),
    (
        MODEL,
        r"(?:openai|anthropic|litellm|ollama|cohere|groq|mistralai|replicate|together|vertexai"
        r"|google\.generativeai|langchain\w*)\.(?:[\w.]*\.)?(?:a?completion|chat|a?generate\w*"
        r"|create|a?invoke|a?complete|predict|run|stream|call)",
    ),
    (MODEL, r"\w*\.?(?:chat\.)?completions\.create|ChatCompletion\.\w+|Completion\.a?create"),
    (MODEL, r"messages\.create|responses\.create|generate_content|chat_completion"),
    (MODEL, r"(?:llm|chain|agent|agent_executor|chat_model|chatbot|assistant|language_model)"),
    (MODEL, r"transformers\.pipeline"),
    (DATABASE, r"(?:sqlite3|psycopg2?|MySQLdb|pymysql|asyncpg|aiosqlite|cx_Oracle)\.connect"),
    (DATABASE, r"redis\.(?:Strict)?Redis|redis\.from_url|pymongo\.MongoClient|dbm\.open"),
    (DATABASE, r"sqlalchemy\.create_engine|duckdb\.(?:connect|sql|query|execute)"),
    (DATABASE, r"memcache\.Client|objects\.(?:get|filter|all|first)"),
    (DATABASE, r"(?:redis_client|redis_conn|redis|mongo|db|database|cursor|cur)"),
    (FILE, r"builtins\.open|io\.open|codecs\.open|gzip\.open|bz2\.open|lzma\.open|os\.open"),
    (FILE, r"os\.fdopen|io\.FileIO|gzip\.GzipFile|bz2\.BZ2File|lzma\.LZMAFile|tokenize\.open"),
    (FILE, r"zipfile\.ZipFile|tarfile\.(?:open|TarFile)|aiofiles\.open|fsspec\.open|h5py\.File"),
    (FILE, r"pathlib\.(?:Path|PosixPath)\.(?:read_text|read_bytes|open)|os\.read|mmap\.mmap"),
    (FILE, r"linecache\.(?:getline|getlines)|pkgutil\.get_data|importlib\.resources\.\w+"),
    (FILE, r"configparser\.(?:Raw|Safe)?ConfigParser|ConfigParser\.\w+|numpy\.fromfile"),
    (FILE, r"pandas\.read_\w+"),
)

# Methods that read, of receivers of which nothing else is known.
METHODS: dict[str, str] = {
    **dict.fromkeys(
        (
            *("recv", "recvfrom", "recv_bytes", "recv_multipart", "recvmsg", "recv_pyobj"),
            *("recv_string", "recv_json", "receive_text", "receive_json", "receive_bytes"),
            *("urlopen", "get_json", "get_data", "iter_content", "iter_lines", "recv_into"),
            *("sock_recv", "getresponse", "get_argument", "get_body_argument", "readuntil"),
        ),
        NETWORK,
    ),
    **dict.fromkeys(
        (
            *("fetchone", "fetchall", "fetchmany", "fetchval", "fetchrow", "scalar", "scalars"),
            *("scalar_one", "scalar_one_or_none", "find_one", "hget", "hgetall", "lpop", "rpop"),
            *("blpop", "brpop", "lindex", "lrange", "mget", "smembers", "get_item"),
        ),
        DATABASE,
    ),
    **dict.fromkeys(("parse_args", "parse_known_args", "getText", "askstring"), INPUT),
    **dict.fromkeys(
        (
            *("generate_content", "chat_completion", "invoke", "ainvoke", "generate_text"),
            *("complete", "acomplete"),
        ),
        MODEL,
    ),
    **dict.fromkeys(
        (
            *("read_text", "read_bytes", "extractfile", "read_string", "read_file", "readfile"),
            *("read_binary", "readlines"),
        ),
        FILE,
    ),
}

# Names of which code that has a source from outside mostly has one.
SOURCE_NAMES = frozenset(METHODS) | frozenset(
    (
        *("request", "req", "input", "argv", "stdin", "environ", "getenv", "requests", "httpx"),
        *(
            "rfile",
            "raw_input",
            "completions",
            "messages",
            "cursor",
            "redis",
            "session",
            "get_json",
        ),
    )
)

# What these give is a number, a truth value or the like, whatever they are given.
NUMBERS = frozenset(
    f"builtins.{name}"
    for name in (
        *("int", "float", "bool", "complex", "len", "hash", "id", "ord", "abs", "round", "pow"),
        *("divmod", "isinstance", "issubclass", "callable", "hasattr", "any", "all", "hex", "oct"),
        *("bin", "range", "print", "setattr", "delattr", "globals", "locals"),
    )
) | frozenset(
    (
        *("decimal.Decimal", "fractions.Fraction", "uuid.UUID", "uuid.uuid4", "uuid.uuid1"),
        *("datetime.datetime.strptime", "datetime.date.fromisoformat", "ipaddress.ip_address"),
        *("datetime.datetime.fromisoformat", "ipaddress.ip_network", "ipaddress.IPv4Address"),
        *("os.path.exists", "os.path.isfile", "os.path.isdir", "os.path.getsize", "os.getpid"),
        *("time.time", "time.perf_counter", "time.monotonic", "random.random", "random.randint"),
        *("secrets.token_hex", "secrets.token_urlsafe", "hashlib.sha256", "hashlib.md5"),
        *("hashlib.sha1", "hashlib.new", "hashlib.sha512", "hashlib.blake2b", "numpy.float64"),
        *("numpy.int64", "math.floor", "math.ceil", "math.sqrt", "zlib.crc32", "binascii.crc32"),
    )
)
NUMBER_METHODS = frozenset(
    (
        *("isdigit", "isdecimal", "isnumeric", "isalnum", "isalpha", "isidentifier", "isspace"),
        *("startswith", "endswith", "count", "find", "rfind", "index", "rindex", "hexdigest"),
        *("exists", "is_file", "is_dir", "bit_length", "timestamp", "isascii", "keys_only"),
    )
)

# By family of sinks: calls after which a value is harmless there, and why.
QUOTED = {
    "shlex.quote": "shlex.quote() makes one word of it",
    "pipes.quote": "pipes.quote() makes one word of it",
    "shlex.join": "shlex.join() quotes every word",
}
LITERAL = {
    "builtins.repr": "repr() makes a literal of it",
    "builtins.ascii": "ascii() makes a literal of it",
    "ast.literal_eval": "ast.literal_eval() takes literals alone",
    "json.dumps": "json.dumps() makes a literal of it",
    "pprint.pformat": "pprint.pformat() makes a literal of it",
}
OWN_PICKLE = frozenset(
    f"{module}.{name}"
    for module in (
        *("pickle", "_pickle", "cPickle", "pickle5", "dill", "cloudpickle", "marshal", "joblib"),
        *("yaml", "jsonpickle"),
    )
    for name in ("dump", "dumps", "encode", "safe_dump")
)
AUTHENTICATED = re.compile(
    r"(?:Fernet|signer|serializer|unsign|decrypt|verify|unseal|SecretBox)", re.I
)

# Modules and builtins whose functions give something made of their arguments alone: of constants
# they make constants.
KEEPING = re.compile(
    r"(?:re|json|base64|binascii|codecs|zlib|gzip|bz2|lzma|textwrap|string|struct|html|shlex|copy"
    r"|itertools|functools|operator|ast|inspect|unicodedata|urllib\.parse|os\.path|posixpath|ntpath"
    r"|fnmatch|difflib|pprint|collections|types|tomllib|csv|io|six|enum|dataclasses|typing"
    r"|pathlib|xml|locale|gettext|quopri|ctypes|array|heapq|bisect|string\.Template)\.[\w.]+"
    r"|os\.(?:fspath|fsdecode|fsencode|getcwd|sep|linesep|path)[\w.]*"
    r"|sys\.(?:executable|version\w*|platform|prefix|byteorder|maxsize|implementation)[\w.]*"
    r"|platform\.\w+"
    r"|builtins\.(?:str|bytes|bytearray|list|tuple|dict|set|frozenset|sorted|reversed|iter|next"
    r"|enumerate|zip|map|filter|getattr|vars|max|min|sum|format|chr|slice|memoryview|type|super"
    r"|repr|ascii|dir|compile|anext|aiter|staticmethod|classmethod|property|__import__)"
)

# Attributes that name an object, not what somebody wrote.
NAMES_OF_OBJECTS = frozenset(
    (
        *("__name__", "__qualname__", "__module__", "__class__", "__file__", "__path__"),
        *("__package__", "__version__", "co_name", "co_filename", "__dict__", "__doc__"),
    )
)

# Methods that put what they are given into their receiver.
MUTATORS = frozenset(
    (
        *("append", "extend", "insert", "add", "update", "setdefault", "write", "writelines"),
        *("put", "put_nowait", "push", "appendleft", "extendleft", "writeline", "__setitem__"),
        *("push_back", "writestr", "set", "readfp", "feed", "send"),
    )
)
# Methods of which the arguments are keys and limits, not what comes out.
KEYED = frozenset(
    (
        *("get", "pop", "split", "rsplit", "splitlines", "strip", "lstrip", "rstrip", "read"),
        *(
            "group",
            "groups",
            "partition",
            "rpartition",
            "encode",
            "decode",
            "getvalue",
            "expandtabs",
        ),
        *("getlist", "readline", "removeprefix", "removesuffix", "__getitem__", "popitem", "copy"),
    )
)

# What makes text of numbers, and attributes that the handler of a request has.
OF_CODE_POINTS = frozenset({"builtins.chr", "builtins.bytes", "builtins.bytearray"})
OF_HANDLERS = frozenset({"path", "headers", "rfile", "requestline", "request", "data"})
HANDLING = re.compile(r"do_[A-Z]+|handle|data_received|on_message|datagram_received")

# What variables are called that are plainly meant to hold code.
CODE_NAMES = frozenset(
    (
        *("code", "codeobj", "code_obj", "co", "source", "src", "script", "program", "codestr"),
        *("code_string", "code_str", "source_code", "stmt", "statement", "python_code", "pycode"),
    )
)


def keeps(path: str) -> bool:
    """True for a function that makes something of its arguments alone, and for a fixed value.

    >>> keeps("re.sub"), keeps("re.match().group")
    (True, False)
    """
    return "()" not in path and "[]" not in path and KEEPING.match(path) is not None


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    kinds: dict[str, list[str]] = {}
    for kind, pattern in _PATHS:
        kinds.setdefault(kind, []).append(pattern)
    return tuple(
        (kind, re.compile(rf"(?:^|.*\.)(?:{'|'.join(held)})(?:\.|$)"))
        for kind, held in kinds.items()
    )


@cache
def kind_of_path(path: str) -> str | None:
    """The kind of source that a dotted path names; None if it names none.

    >>> kind_of_path("self.request.args"), kind_of_path("sys.argv"), kind_of_path("a.b")
    ('network', 'input', None)
    """
    for kind, pattern in _patterns():
        if pattern.match(path):
            return kind
    return None
