"""The filters: each learns labelled messages and says of each mail how spammy it is, and what it decides by its own threshold.

Every `judge` gives a list of (score, verdict) in the order of the messages. `seconds` is the CPU that all of it took, training and
scoring, without the start of a daemon.
"""

import http.client
import json
import math
import os
import resource
import shutil
import socket
import subprocess
import time
from pathlib import Path


def children_seconds():
    """CPU of the child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(command, lines=(), **options):
    """Runs a command with lines on its standard input; gives the lines of its output."""
    text = "".join(line + "\n" for line in lines)
    done = subprocess.run([str(word) for word in command], input=text, stdout=subprocess.PIPE, text=True, check=True, **options)
    return done.stdout.splitlines()


class Bogofilter:
    """Debian's bogofilter with its defaults. The configuration of the machine is not read."""

    # `spam_cutoff`: what it is unsure about is not spam.
    CUTOFF = 0.99

    def __init__(self, messages, work):
        """`messages`: directory of the messages; `work`: an empty directory, best in memory."""
        self.messages = Path(messages)
        self.command = ["bogofilter", "-C", "-e", "-d", str(work)]
        self.seconds = 0.0

    def learn(self, labelled):
        """Learns a list of (path, whether spam)."""
        before = children_seconds()
        for spam, option in ((True, "-s"), (False, "-n")):
            paths = [self.messages / path for path, is_spam in labelled if is_spam == spam]
            if paths:
                run(self.command + [option, "-b"], map(str, paths))
        self.seconds += children_seconds() - before

    def judge(self, paths):
        """Scores messages, all in one process."""
        before = children_seconds()
        lines = run(self.command + ["-TT", "-b"], (str(self.messages / path) for path in paths))
        self.seconds += children_seconds() - before
        scores = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}
        return [self._judged(scores[str(self.messages / path)]) for path in paths]

    def stream(self, labelled, delay=0, first=None, tell=None):
        """Scores each mail before its label is given, `delay` messages later; only the first `first` labels are given. Where it
        knows no word yet it refuses to say anything: that is one half."""
        before = children_seconds()
        first = len(labelled) if first is None else first
        judged = []
        # Where no label comes any more, one process does for the rest.
        alone = min(len(labelled), first + delay)
        for number, (path, _) in enumerate(labelled[:alone]):
            due = number - delay
            judged.append(self._judged(self._score(path) if due > 0 else 0.5))
            if 0 <= due < first:
                self._learn(*labelled[due])
            if tell:
                tell(number + 1, len(labelled))
        self.seconds += children_seconds() - before
        rest = [path for path, _ in labelled[alone:]]
        return judged + (self.judge(rest) if rest else [])

    def _score(self, path):
        return float(run(self.command + ["-TT", "-I", self.messages / path])[-1])

    def _learn(self, path, spam):
        subprocess.run(self.command + ["-s" if spam else "-n", "-I", str(self.messages / path)], check=True)

    def _judged(self, score):
        return score, score >= self.CUTOFF


class SpamAssassin:
    """Debian's SpamAssassin through its Perl API, local tests only."""

    def __init__(self, messages, work):
        self.messages = Path(messages)
        self.work = work
        self.seconds = 0.0

    def _run(self, step, lines):
        before = children_seconds()
        found = run(["perl", Path(__file__).with_name("spamassassin.pl"), step, self.work], lines)
        self.seconds += children_seconds() - before
        return found

    def learn(self, labelled):
        """Learns a list of (path, whether spam)."""
        self._run("train", (f"{'spam' if spam else 'ham'} {self.messages / path}" for path, spam in labelled))

    def judge(self, paths):
        """Two lists: by rules and Bayes together, and by Bayes alone, whose threshold is one half."""
        both, bayes = [], []
        for path, line in zip(paths, self._run("score", (str(self.messages / path) for path in paths)), strict=True):
            name, probability, score, required = line.split("\t")
            if name != str(self.messages / path):
                raise ValueError(f"{name} instead of {path}")
            both.append((float(score), float(score) >= float(required)))
            bayes.append((float(probability), float(probability) >= 0.5))
        return both, bayes


class Rspamd:
    """Debian's rspamd with a Redis of its own, both on loopback, with its default rules but without what asks the network."""

    PORTS = {"normal": 17841, "controller": 17842, "redis": 17843}
    NETWORK = (
        "antivirus arc asn aws_s3 bimi clickhouse dcc dkim dkim_signing dmarc elastic external_services external_relay "
        "fuzzy_check greylist history_redis metadata_exporter metric_exporter mx_check neural once_received p0f phishing "
        "ratelimit rbl replies reputation rspamd_update spf surbl url_redirector whitelist"
    ).split()
    START = 120

    def __init__(self, messages, work):
        self.messages = Path(messages)
        self.work = Path(work)
        self.processes = []
        self.seconds = 0.0

    def __enter__(self):
        self._configure()
        redis = ["redis-server", "--port", str(self.PORTS["redis"]), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        rspamd = ["rspamd", "-f", "-i", "--var", f"LOCAL_CONFDIR={self.work}"]
        for variable, name in (("DBDIR", "db"), ("RUNDIR", "run"), ("LOGDIR", "log")):
            rspamd += ["--var", f"{variable}={self.work / name}"]
        with open(self.work / "output", "w") as output:
            try:
                for command in (redis, rspamd):
                    self.processes.append(subprocess.Popen(command, cwd=self.work, stdout=output, stderr=output))
                for port in self.PORTS.values():
                    self._wait(port)
            except BaseException:
                self.__exit__()
                raise
        self.started = self._ticks()
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()

    def _configure(self):
        for name in ("local.d", "override.d", "db", "run", "log"):
            (self.work / name).mkdir(parents=True)
        local, override = self.work / "local.d", self.work / "override.d"
        (local / "options.inc").write_text(
            'filters = "chartable,regexp";\ndisable_monitoring = true;\n'
            'dns { nameserver = ["127.0.0.1:1"]; timeout = 0.05s; retransmits = 1; }\n'
        )
        for worker in ("normal", "controller"):
            (override / f"worker-{worker}.inc").write_text(f'bind_socket = "127.0.0.1:{self.PORTS[worker]}";\ncount = 1;\n')
        for worker in ("proxy", "fuzzy"):
            (override / f"worker-{worker}.inc").write_text("enabled = false;\n")
        (local / "redis.conf").write_text(f'servers = "127.0.0.1:{self.PORTS["redis"]}";\n')
        (local / "classifier-bayes.conf").write_text("autolearn = false;\n")
        (local / "logging.inc").write_text('level = "notice";\n')
        # It compares with today: every mail of a corpus is of the past.
        (local / "headers_group.conf").write_text("symbols = { DATE_IN_PAST { weight = 0.0; } }\n")
        for module in self.NETWORK:
            (local / f"{module}.conf").write_text("enabled = false;\n")

    def _wait(self, port):
        deadline = time.monotonic() + self.START
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline or any(process.poll() is not None for process in self.processes):
                    raise OSError(f"no process listens on port {port}; see {self.work}/output and {self.work}/log") from None
                time.sleep(0.2)

    def _ticks(self):
        """CPU seconds of the daemons and their workers up to now."""
        mine = {process.pid for process in self.processes}
        total = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(stat.parent.name) in mine or int(fields[1]) in mine:
                total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def _ask(self, worker, path, mail, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.PORTS[worker], timeout=60)
        try:
            connection.request("POST", path, (self.messages / mail).read_bytes(), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        finally:
            connection.close()

    def learn(self, labelled):
        """Learns a list of (path, whether spam), in bulk: else it would decline what it judges rightly. Gives how many messages it
        declined all the same."""
        declined = 0
        for mail, spam in labelled:
            status, answer = self._ask("controller", "/learnspam" if spam else "/learnham", mail, {"Learn-Type": "bulk"})
            if status != 200 or not answer.get("success"):
                declined += 1
        return declined

    def judge(self, paths):
        """Two lists: by rules and Bayes together (its threshold: it would mark the mail or more), and by Bayes alone."""
        both, bayes = [], []
        for mail in paths:
            _, answer = self._ask("normal", "/checkv2", mail, {})
            both.append((answer["score"], answer["action"] in ("add header", "rewrite subject", "reject")))
            bayes.append(self._bayes(answer["symbols"]))
        self.seconds = self._ticks() - self.started
        return both, bayes

    @staticmethod
    def _bayes(symbols):
        """It tells more by the score of the symbol than by the percentage next to it; without a symbol it is unsure."""
        for name in ("BAYES_SPAM", "BAYES_HAM"):
            if name in symbols:
                return symbols[name]["score"], name == "BAYES_SPAM"
        return 0.0, False


class Gatepost:
    """Ours. It prints its own figures; its scores of single messages as well, where the binary knows `--scores`."""

    def __init__(self, binary):
        self.binary = binary
        self.seconds = 0.0

    def _run(self, arguments, scores):
        before = children_seconds()
        known = any("--scores" in line for line in run([self.binary, "model", arguments[0], "--help"]))
        report = run([self.binary, "model", *arguments, *(["--scores", scores] if known else [])], stderr=subprocess.DEVNULL)
        self.seconds = children_seconds() - before
        return json.loads(report[-1]), self._scores(scores) if known else None

    @staticmethod
    def _scores(file):
        judged = {}
        for line in Path(file).read_text().splitlines():
            path, _, score, verdict = line.split("\t")
            judged[path] = float(score), verdict == "spam"
        return judged

    def corpus(self, directory, name, scores):
        """Model and site learner, which learned the train part, on the test part: the report, and the scores by path."""
        options = ["--corpora", directory, "--corpus", f"{name}:test", "--site-corpus", f"{name}:train"]
        return self._run(["eval", *options], scores)

    def stream(self, index, scores, delay=0, first=None):
        """A fresh site learner on a stream: the report, and the scores by path."""
        options = ["--format", "json", "--delay", str(delay)] + ([] if first is None else ["--first", str(first)])
        return self._run(["replay", index, *options], scores)


def fresh(directory):
    """An empty directory in the place of whatever was there."""
    shutil.rmtree(directory, ignore_errors=True)
    Path(directory).mkdir(parents=True)
    return Path(directory)
