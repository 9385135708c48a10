"""Published advisories about dynamic code in Python projects, each in its minimal form.

Written from the advisories' descriptions; the sink is on the line that ends with `# here`.
"""

from __future__ import annotations

ADVISORIES: dict[str, str] = {
    "CVE-2017-18342 PyYAML: load() makes any object": """
        import yaml

        def read(stream):
            return yaml.load(stream)  # here
    """,
    "CVE-2020-1747 PyYAML: FullLoader runs code": """
        import yaml

        def read(path):
            with open(path) as file:
                return yaml.load(file, Loader=yaml.FullLoader)  # here
    """,
    "CVE-2017-2809 ansible-vault: vault content is unsafe YAML": """
        import yaml

        class Vault:
            def load(self, stream):
                return yaml.load(self.load_raw(stream))  # here

            def load_raw(self, stream):
                return self.vault.decrypt(stream)
    """,
    "CVE-2021-43811 Sockeye: model configuration is unsafe YAML": """
        import yaml

        class Config:
            @staticmethod
            def load(fname):
                with open(fname) as inp:
                    return yaml.load(inp, Loader=yaml.UnsafeLoader)  # here
    """,
    "CVE-2021-37678 Keras: model_from_yaml uses unsafe_load": """
        def model_from_yaml(yaml_string, custom_objects=None):
            import yaml
            config = yaml.unsafe_load(yaml_string)  # here
            return config
    """,
    "CVE-2019-6446 NumPy: load() unpickles": """
        import numpy as np

        def features(filename):
            return np.load(filename, allow_pickle=True)  # here
    """,
    "CVE-2020-22083 jsonpickle: decode() of what a client sends": """
        import jsonpickle
        from flask import request

        def handler():
            return jsonpickle.decode(request.data)  # here
    """,
    "CVE-2018-8021 Superset: import of dashboards unpickles": """
        import pickle

        def import_dashboards(request):
            f = request.files.get("file")
            return pickle.load(f)  # here
    """,
    "CVE-2015-5242 swiftonfile: metadata is a pickle in xattrs": """
        import pickle

        def read_metadata(fd, xattr, key):
            metadata = b""
            metadata += xattr.getxattr(fd, key)
            return pickle.loads(metadata)  # here
    """,
    "CVE-2022-34668 NVFLARE: messages between parties are pickles": """
        import pickle

        class Message:
            def __init__(self, payload):
                self.payload = payload

            def decode(self):
                return pickle.loads(self.payload)  # here
    """,
    "CVE-2023-6730 transformers: the RAG index is unpickled": """
        import os
        import pickle

        class Index:
            def __init__(self, index_path):
                self.index_path = index_path

            def _load_passages(self):
                path = self._resolve_path(self.index_path, "passages")
                with open(path, "rb") as passages_file:
                    return pickle.load(passages_file)  # here

            def _resolve_path(self, index_path, filename):
                return os.path.join(index_path, filename)
    """,
    "CVE-2022-21797 joblib: pre_dispatch is evaluated": """
        class Parallel:
            def __init__(self, pre_dispatch="2 * n_jobs"):
                self.pre_dispatch = pre_dispatch

            def __call__(self, iterable):
                pre_dispatch = self.pre_dispatch
                n_jobs = 1
                if hasattr(pre_dispatch, "endswith"):
                    pre_dispatch = eval(pre_dispatch)  # here
                return pre_dispatch
    """,
    "CVE-2022-45907 PyTorch: a type comment is evaluated": """
        def parse_type_line(type_line, rcb, loc):
            arg_ann_str, ret_ann_str = split_type_line(type_line)
            arg_ann = eval(arg_ann_str, {}, rcb)  # here
            return arg_ann

        def split_type_line(type_line):
            start = len("# type:")
            at = type_line.find("->")
            return type_line[start:at].strip(), type_line[at + 2:].strip()
    """,
    "CVE-2022-29216 TensorFlow: saved_model_cli evaluates expressions": """
        import argparse

        def preprocess(input_exprs_str):
            found = {}
            for each in filter(bool, input_exprs_str.split(";")):
                key, expr = each.split("=", 1)
                found[key] = eval(expr)  # here
            return found

        def main():
            args = argparse.ArgumentParser().parse_args()
            return preprocess(args.input_exprs)
    """,
    "CVE-2019-17626 ReportLab: a colour is evaluated": """
        class ToColor:
            def __call__(self, arg, default=None):
                if isinstance(arg, str):
                    try:
                        return eval(arg)  # here
                    except Exception:
                        return default
    """,
    "CVE-2020-27619 CPython: a test evaluates what it downloads": """
        import urllib.request

        def test_mapping_file(mapfileurl):
            with urllib.request.urlopen(mapfileurl) as f:
                for line in f:
                    data = line.decode().split("#")[0].split()
                    csetval = eval(data[0])  # here
                    print(csetval)
    """,
    "CVE-2023-29374 LangChain: LLMMathChain executes the model's answer": """
        import sys
        from io import StringIO

        class PythonREPL:
            def run(self, command):
                old = sys.stdout
                sys.stdout = out = StringIO()
                try:
                    exec(command, self.globals, self.locals)  # here
                finally:
                    sys.stdout = old
                return out.getvalue()

        class LLMMathChain:
            def _call(self, question):
                answer = self.llm.predict(question)
                code = answer.split("```python")[1].split("```")[0]
                return PythonREPL().run(code)
    """,
    "CVE-2023-39662 llama_index: the answer is evaluated on a frame": """
        import ast

        class PandasQueryEngine:
            def _query(self, query_str):
                answer, _ = self._llm.predict(self._prompt, query_str=query_str)
                tree = ast.parse(answer)
                module = ast.Module(tree.body[:-1], type_ignores=[])
                exec(ast.unparse(module), {}, {"df": self._df})  # here
    """,
    "CVE-2024-21513 LangChain: columns of a database are evaluated": """
        def get_result_from_sqldb(db, cmd):
            result = db._execute(cmd, fetch="all")
            return [{k: try_eval(v) for k, v in dict(row).items()} for row in result]

        def try_eval(x):
            try:
                return eval(x)  # here
            except Exception:
                return x
    """,
    "CVE-2024-34359 llama-cpp-python: a chat template of a model file": """
        import jinja2

        class Formatter:
            def __init__(self, template):
                loader = jinja2.BaseLoader()
                self._environment = jinja2.Environment(loader=loader).from_string(template)  # here
    """,
    "CVE-2014-3007 Pillow: a file name in a shell command": """
        import os
        import tempfile

        class JpegImageFile:
            def load_djpeg(self):
                f, path = tempfile.mkstemp()
                if os.path.exists(self.filename):
                    os.system("djpeg '%s' >'%s'" % (self.filename, path))  # here
    """,
    "CVE-2014-0472 Django: reverse() imports what a view is named": """
        from importlib import import_module

        def get_callable(lookup_view):
            mod_name, func_name = lookup_view.rsplit(".", 1)
            return getattr(import_module(mod_name), func_name)  # here
    """,
}
