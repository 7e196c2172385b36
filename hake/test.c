/*
 * The test runner.
 *
 * Every test is a process: a unit test's program, a host test's command, "hake boot-test NAME".
 * Its output goes to a log, its exit status decides (0 passed, 77 skipped). As many run at once
 * as there are processors for them; a test takes one, a run of QEMU half of them, a large run
 * of QEMU, or a test that says it is alone, takes all.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build.h"
#include "compare.h"
#include "linux.h"
#include "options.h"
#include "topology.h"

#define BIG_CORES  16 /* a guest of more cores has the machine to itself */
#define GRACE      15 /* seconds beyond its own timeout that a boot test has, to end in order */
#define TAIL_LINES 30
#define POLL_US    20000

enum state { WAITING, RUNNING, PASSED, FAILED, SKIPPED, NSTATES };

struct test {
	const struct item *it;
	const char *name, *suite;
	const char *output; /* of a unit test */
	bool on_linux;      /* runs a boot test's program on Linux */
	const char *log;
	const char *why; /* it failed or was skipped, if the log does not say */
	enum state state;
	long weight; /* processors that it takes */
	pid_t pid;
	u64 start, ms;
};

struct tests {
	struct test *v;
	size_t n;
	long processors, busy;
	bool is_long, terminal;
	size_t count[NSTATES];
};

/* The tests that run, for the signal handler. */
static const struct tests *running;

static void add_test(struct tests *all, const struct item *it, const char *name, const char *output)
{
	struct test t = {.it = it, .name = name, .suite = it->suite, .output = output, .weight = 1};

	if (it->kind == BOOT_TEST)
		t.weight = topology_load(it->topology, 0)->ncores > BIG_CORES
				   ? all->processors
				   : MAX(all->processors / 2, 1l);
	if (it->alone)
		t.weight = all->processors;
	t.log = strf("%s/logs/%s.log", build_dir(), name);
	all->v = realloc(all->v, (all->n + 1) * sizeof(t));
	if (!all->v)
		die("out of memory");
	all->v[all->n++] = t;
}

/* Every test of the project: quick ones first, then those that take the whole machine. */
static void collect_tests(struct tests *all, const struct project *p)
{
	static const enum kind order[] = {UNIT_TEST, HOST_TEST, BOOT_TEST};

	for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
		for (size_t i = 0; i < p->n; i++) {
			const struct item *it = p->v[i];

			if (it->kind != order[k])
				continue;
			for (size_t j = 0; j < (it->kind == UNIT_TEST ? unit_test_count(it) : 1);
			     j++)
				add_test(all, it, unit_test_name(it, j), unit_test_output(it, j));
		}
	}
}

static bool matches_any(const struct strv *patterns, const char *name)
{
	for (size_t i = 0; i < patterns->n; i++) {
		if (fnmatch(patterns->v[i], name, 0) == 0)
			return true;
	}
	return false;
}

/* Ends hake if a test or suite was named that there is not. */
static void check_names(const struct tests *all, const struct strv *suites,
			const struct strv *names)
{
	struct strv known_suites = {0}, known = {0};

	for (size_t i = 0; i < all->n; i++) {
		if (!strv_has(&known_suites, all->v[i].suite))
			strv_add(&known_suites, all->v[i].suite);
		strv_add(&known, all->v[i].name);
	}
	for (size_t i = 0; i < suites->n; i++) {
		if (!strv_has(&known_suites, suites->v[i]))
			die("there is no suite \"%s\"%s\n  there are: %s", suites->v[i],
			    suggest(suites->v[i], &known_suites), strv_join(&known_suites, ", "));
	}
	for (size_t i = 0; i < names->n; i++) {
		struct strv one = {&names->v[i], 1};
		bool found = false;

		for (size_t j = 0; j < known.n; j++)
			found |= matches_any(&one, known.v[j]);
		if (!found)
			die("there is no test \"%s\"%s (hake/test --list shows all)", names->v[i],
			    suggest(names->v[i], &known));
	}
}

/* Keeps the tests that were asked for. One that was named runs even if it is a long one. */
static void select_tests(struct tests *all, const struct strv *suites, const struct strv *names)
{
	size_t n = 0;

	check_names(all, suites, names);
	for (size_t i = 0; i < all->n; i++) {
		struct test *t = &all->v[i];

		if ((suites->n && !strv_has(suites, t->suite)) ||
		    (names->n && !matches_any(names, t->name)))
			continue;
		if (t->it->is_long && !all->is_long && !names->n) {
			t->state = SKIPPED;
			t->why = "a long one: --long runs it";
		}
		all->v[n++] = *t;
	}
	all->n = n;
}

/* For --compare: a run on Linux beside each of the selected tests that Linux can run. */
static void add_linux_tests(struct tests *all)
{
	size_t n = all->n;

	for (size_t i = 0; i < n; i++) {
		const struct item *it = all->v[i].it;

		if (all->v[i].state == SKIPPED || !linux_can_run(it))
			continue;
		add_test(all, it, strf("%s.linux", it->name), NULL);
		all->v[all->n - 1].on_linux = true;
	}
	if (all->n > n)
		linux_kernel(); /* is fetched now if it is not there, or hake ends */
}

/* What must be built for @t. */
static void add_targets(const struct project *p, const struct test *t, struct strv *targets)
{
	if (t->state == SKIPPED)
		return;
	if (t->on_linux) {
		linux_targets(p, targets);
		return;
	}
	if (t->it->kind == UNIT_TEST)
		strv_add(targets, t->output);
	if (t->it->kind == BOOT_TEST)
		strv_add(targets, "image");
	for (size_t i = 0; i < t->it->needs.n; i++)
		strv_add(targets, build_target(p, t->it->needs.v[i]));
}

/* Builds what the tests need. What cannot be built fails the tests that need it, no others. */
static void build_tests(const struct project *p, struct tests *all)
{
	struct strv targets = {0};

	strv_split(&targets, "-k 0");
	for (size_t i = 0; i < all->n; i++)
		add_targets(p, &all->v[i], &targets);
	if (targets.n == 2 || ninja_try(&targets))
		return;
	for (size_t i = 0; i < all->n; i++) {
		struct strv argv = {0};
		struct buf out = {0};
		size_t n;

		strv_split(&argv, strf("ninja -f %s/build.ninja", build_dir()));
		n = argv.n;
		add_targets(p, &all->v[i], &argv);
		if (argv.n > n && run_collect(&argv, &out)) {
			all->v[i].state = FAILED;
			all->v[i].why = "does not build";
		}
	}
}

static void clear_progress(const struct tests *all)
{
	if (all->terminal)
		printf("\r\033[K");
}

static void show_progress(const struct tests *all)
{
	struct strv names = {0};
	size_t done = all->count[PASSED] + all->count[FAILED] + all->count[SKIPPED];

	if (!all->terminal)
		return;
	for (size_t i = 0; i < all->n; i++) {
		if (all->v[i].state == RUNNING)
			strv_add(&names, all->v[i].name);
	}
	clear_progress(all);
	printf("[%zu/%zu] %.60s", done, all->n, strv_join(&names, " "));
	fflush(stdout);
}

/* The last lines of @t's log, indented. */
static void show_tail(const struct test *t)
{
	struct buf log = {0};
	const char *at;
	int lines = 0;

	if (file_read(t->log, &log) || !log.n)
		return;
	for (at = log.v + log.n - 1; at > log.v; at--) {
		if (at[-1] == '\n' && ++lines == TAIL_LINES)
			break;
	}
	printf("  --- the end of %s\n", t->log);
	while (*at) {
		int n = (int)strcspn(at, "\n");

		printf("  | %.*s\n", n, at);
		at += n + (at[n] == '\n');
	}
}

/* The last line of the log of a test that skipped itself says why. */
static const char *last_line(const char *file)
{
	struct buf log = {0};
	char *start;

	if (file_read(file, &log) || !log.n)
		return "";
	if (log.v[log.n - 1] == '\n')
		log.v[log.n - 1] = 0;
	start = strrchr(log.v, '\n');
	return start ? start + 1 : log.v;
}

static void report(struct tests *all, struct test *t)
{
	static const char *const words[NSTATES] = {
		[PASSED] = "pass", [FAILED] = "FAIL", [SKIPPED] = "skip"};
	const char *why = t->why;

	all->count[t->state]++;
	if (t->state == SKIPPED && !why)
		why = last_line(t->log);
	clear_progress(all);
	printf("%s  %-10s %-44s %7.1f s%s%s\n", words[t->state], t->suite, t->name,
	       (double)t->ms / 1000, why ? "  " : "", why ? why : "");
	if (t->state == FAILED && t->pid)
		show_tail(t);
	fflush(stdout);
}

/* The child: becomes the test. */
static _Noreturn void become(const struct tests *all, const struct test *t, int log)
{
	/* Whoever started hake may ignore these; a test begins as from a terminal. */
	static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE};
	struct strv argv = {0};
	int null = open("/dev/null", O_RDONLY);

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	setenv("SKERRY_BUILD", build_dir(), 1);
	if (t->it->kind == UNIT_TEST) {
		strv_add(&argv, t->output);
	} else if (t->it->kind == HOST_TEST) {
		strv_add(&argv, "sh");
		strv_add(&argv, "-c");
		strv_add(&argv, all->is_long && t->it->long_command ? t->it->long_command
								    : t->it->command);
	} else {
		strv_addf(&argv, "%s/hake", build_dir());
		strv_add(&argv, t->on_linux ? "linux-test" : "boot-test");
		strv_add(&argv, t->it->name);
	}
	execvp(argv.v[0], strv_argv(&argv));
	_exit(127);
}

static void start_test(struct tests *all, struct test *t)
{
	int log;

	make_parents(t->log);
	log = open(t->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (log < 0)
		die("cannot write %s: %s", t->log, strerror(errno));
	fflush(NULL);
	t->pid = fork();
	if (t->pid < 0)
		die("cannot start a test: %s", strerror(errno));
	if (t->pid == 0)
		become(all, t, log);
	close(log);
	setpgid(t->pid, t->pid);
	t->start = now_ms();
	t->state = RUNNING;
	all->busy += t->weight;
}

/* Starts what the processors have room for, in order. */
static void start_tests(struct tests *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct test *t = &all->v[i];

		if (t->state == WAITING && all->busy + t->weight <= all->processors)
			start_test(all, t);
	}
}

static u64 time_limit_ms(const struct test *t)
{
	int seconds = t->it->timeout + (t->it->kind == BOOT_TEST ? GRACE : 0);

	return 1000ul * (u64)(seconds + (t->on_linux ? LINUX_START : 0));
}

static void finish_test(struct tests *all, struct test *t, int status)
{
	t->ms = now_ms() - t->start;
	t->state = status == 0 ? PASSED : status == EXIT_SKIP ? SKIPPED : FAILED;
	if (t->state == FAILED && !t->why)
		t->why = status > 128 ? strf("killed by signal %d (%s)", status - 128,
					     strsignal(status - 128))
				      : strf("exit status %d", status);
	kill(-t->pid, SIGKILL); /* whatever it left behind */
	all->busy -= t->weight;
	report(all, t);
}

/* Takes note of tests that have ended, and ends those whose time is up. */
static void watch_tests(struct tests *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct test *t = &all->v[i];
		int status;

		if (t->state != RUNNING)
			continue;
		if (now_ms() - t->start > time_limit_ms(t) && !t->why) {
			t->why = strf("took longer than %lu s", time_limit_ms(t) / 1000);
			kill(-t->pid, SIGKILL);
		}
		if (waitpid(t->pid, &status, WNOHANG) == t->pid)
			finish_test(all, t, wait_status(status));
	}
}

static void interrupted(int signal_number)
{
	for (size_t i = 0; i < running->n; i++) {
		if (running->v[i].state == RUNNING)
			kill(-running->v[i].pid, SIGKILL);
	}
	_exit(128 + signal_number);
}

static void run_tests(struct tests *all)
{
	size_t shown = SIZE_MAX;

	running = all;
	signal(SIGINT, interrupted);
	signal(SIGTERM, interrupted);
	for (size_t i = 0; i < all->n; i++) {
		if (all->v[i].state != WAITING)
			report(all, &all->v[i]);
	}
	for (;;) {
		size_t done;

		start_tests(all);
		if (!all->busy)
			break;
		usleep(POLL_US);
		watch_tests(all);
		done = all->count[PASSED] + all->count[FAILED];
		if (done != shown)
			show_progress(all);
		shown = done;
	}
	clear_progress(all);
}

static const struct test *find_run(const struct tests *all, const struct item *it, bool on_linux)
{
	for (size_t i = 0; i < all->n; i++) {
		if (all->v[i].it == it && all->v[i].on_linux == on_linux)
			return &all->v[i];
	}
	return NULL;
}

/* The console of a run; one that was not started may have left that of an earlier time. */
static bool read_console(const struct test *t, struct buf *console)
{
	return t->pid && file_read(t->log, console) == 0;
}

/* For --compare: prints what Linux did differently. Returns how much of it is wrong. */
static size_t compare_tests(const struct project *p, const struct tests *all)
{
	struct comparison c = {0};
	struct strv known = {0};
	size_t wrong;

	for (size_t i = 0; i < p->n; i++) {
		if (linux_can_run(p->v[i]))
			strv_add(&known, p->v[i]->name);
	}
	compare_load(&c, DIFFERENCES);
	for (size_t i = 0; i < all->n; i++) {
		const struct test *theirs = &all->v[i];
		const struct test *ours = find_run(all, theirs->it, false);
		struct buf skerry = {0}, linux_ = {0};

		if (!theirs->on_linux)
			continue;
		if (theirs->state == PASSED && read_console(ours, &skerry) &&
		    read_console(theirs, &linux_))
			compare_add(&c, theirs->it, skerry.v, linux_.v);
		else
			printf("%s: not compared, for it did not run on both\n", theirs->it->name);
	}
	wrong = compare_judge(&c, &known);
	printf("\nSkerry beside Linux %s\n", linux_version());
	compare_show(&c);
	return wrong;
}

static void list_tests(const struct tests *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct test *t = &all->v[i];

		printf("%-10s %-44s %s%s\n", t->suite, t->name, t->it->is_long ? "(long) " : "",
		       t->it->about ? t->it->about : "");
	}
}

static void help(void)
{
	puts("usage: hake/test [--suite NAME]... [--list] [--long] [--compare] [TEST]...\n\n"
	     "Builds and runs all tests, those of some suites, or those that are named (TEST may\n"
	     "have * and ?). The last line says how many passed, failed and were skipped; the "
	     "exit\n"
	     "status is 0 only if none failed. Each test leaves a log in build/logs/.\n\n"
	     "  --suite NAME  only this suite\n"
	     "  --list        show suites and tests, run none\n"
	     "  --long        also what takes long\n"
	     "  --compare     also run Linux programs on Linux (hake/linux); a difference that is\n"
	     "                not in " DIFFERENCES " counts as failed");
}

int test_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"suite", required_argument, NULL, 's'}, {"list", no_argument, NULL, 'l'},
		{"long", no_argument, NULL, 'L'},        {"compare", no_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
	};
	struct tests all = {.processors = sysconf(_SC_NPROCESSORS_ONLN),
			    .terminal = isatty(STDOUT_FILENO)};
	struct strv suites = {0}, names = {0};
	struct project p = {0};
	bool list = false, compare = false;

	for (int c; (c = parse_option(argc, argv, options, false)) != -1;) {
		if (c == 'h') {
			help();
			return 0;
		}
		if (c == 's')
			strv_add(&suites, optarg);
		compare |= c == 'c';
		list |= c == 'l';
		all.is_long |= c == 'L';
	}
	for (; optind < argc; optind++)
		strv_add(&names, argv[optind]);
	build_configure(&p);
	collect_tests(&all, &p);
	select_tests(&all, &suites, &names);
	if (compare)
		add_linux_tests(&all);
	if (list) {
		list_tests(&all);
		return 0;
	}
	build_tests(&p, &all);
	run_tests(&all);
	if (compare)
		all.count[FAILED] += compare_tests(&p, &all);
	printf("%zu passed, %zu failed, %zu skipped\n", all.count[PASSED], all.count[FAILED],
	       all.count[SKIPPED]);
	return all.count[FAILED] != 0;
}
