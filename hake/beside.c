/*
 * Benchmarks beside Linux. See beside.h.
 *
 * The program is run four times. On either system once under -icount, where it counts instructions:
 * one thread of QEMU, one instruction a nanosecond, the same every time. And once without, where
 * it takes time: by KVM where that works, which is then the hardware's time; else TCG's, which
 * says how long QEMU emulates, and nothing about hardware.
 *
 * Not here: what the figures mean (figures.c), the program's part (tests/bench/measure.h).
 */
#include "beside.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "figures.h"
#include "guest.h"
#include "linux.h"
#include "run.h"

#define README "README.md"

static const char *const system_names[NSYSTEMS] = {"Skerry", "Linux"};

bool beside_can(const struct item *it)
{
	return it->kind == BENCHMARK && it->program && it->program[0] == '/';
}

static const char *first_line(const char *command)
{
	struct strv argv = {0};
	struct buf out = {0};

	strv_split(&argv, "sh -c");
	strv_add(&argv, command);
	return run_collect(&argv, &out) == 0 ? strf("%.*s", (int)strcspn(out.v, "\n"), out.v) : "";
}

/* One of the four runs; returns whether it went to a good end. */
static bool run_once(const struct project *p, const struct item *it, enum figure_system system,
		     bool timed, struct figures *f, struct buf *said)
{
	struct boot b = {0};
	struct guest g = {.log = -1, .timeout_s = (u32)it->timeout};
	const char *trouble;
	int status;

	boot_of_item(&b, it);
	b.on_linux = system == ON_LINUX;
	b.accel = timed ? ACCEL_AUTO : ACCEL_ICOUNT;
	b.program = strf("%s %s", it->program, timed ? "ns" : "instructions");
	if (b.on_linux) {
		b.firmware = b.append = NULL; /* Skerry's */
		g.timeout_s += LINUX_START;
	}
	boot_check(p, &b);
	g.argv = b.on_linux ? linux_command(p, &b) : boot_command(p, &b);
	printf("  %s, %s ...\n", system_names[system], timed ? "time" : "instructions");
	fflush(stdout);
	status = guest_run(&g);
	buf_addf(said, "%s\n%s\n", strv_join(&g.argv, " "), g.console.v);
	trouble = guest_trouble(&g);
	if (trouble || status) {
		warn("benchmark %s on %s: %s", it->name, system_names[system],
		     trouble ? trouble : strf("ended with status %d", status));
		return false;
	}
	figures_add(f, it->name, system, &g.lines);
	return true;
}

/* All that is needed to do it again. */
static void note_how(struct figures *f, const struct item *it, bool beside, bool timed)
{
	struct boot b = {.topology = it->topology, .mem = it->mem};
	const struct topology *t = boot_machine(&b);
	char day[32];
	time_t now = time(NULL);

	strftime(day, sizeof(day), "%d %B %Y", localtime(&now));
	strv_addf(&f->made, "program=%s", it->program);
	strv_addf(&f->made, "date=%s", day);
	strv_addf(&f->made, "skerry=%s", first_line("git describe --always --dirty 2>/dev/null"));
	if (beside) {
		strv_addf(&f->made, "linux=%s", linux_version());
		strv_addf(&f->made, "linux_command_line=%s", LINUX_APPEND);
	}
	strv_addf(&f->made, "qemu=%s", first_line(strf("%s --version", qemu_program())));
	strv_addf(&f->made, "machine=%s", it->topology ? it->topology : "laptop");
	strv_addf(&f->made, "memory_mib=%lu", topology_memory(t) / MiB);
	strv_addf(&f->made, "counted=-icount shift=0");
	if (timed)
		strv_addf(&f->made, "time=%s",
			  qemu_choose_accel(ACCEL_AUTO, t->ncores, false) == ACCEL_KVM
				  ? "by KVM"
				  : "emulated by TCG: it says nothing about hardware");
}

static void keep(const struct figures *f, const struct item *it, const struct buf *said)
{
	struct buf csv = {0}, json = {0};
	const char *file = strf("%s/bench/%s", build_dir(), it->name);

	figures_csv(f, &csv);
	figures_json(f, it->name, &json);
	file_write(strf("%s.txt", file), said->v, said->n);
	file_write(strf("%s.csv", file), csv.v, csv.n);
	file_write(strf("%s.json", file), json.v, json.n);
	printf("  kept in %s.csv, .json and .txt\n", file);
}

static void show(const struct figures *f, bool beside)
{
	struct buf table = {0};
	size_t rows, missed;

	figures_text(f, &table);
	fputs(table.v, stdout);
	if (f->timed)
		printf("  ns: %s\n", figures_made(f, "time"));
	if (!beside)
		return;
	rows = figures_judge(f, &missed);
	printf("  Linux %s, \"%s\"; %zu of %zu rows are less on Skerry\n", linux_version(),
	       LINUX_APPEND, rows - missed, rows);
}

static void write_readme(const struct figures *f, const struct item *it)
{
	struct buf text = {0}, block = {0};

	figures_markdown(f, &block);
	buf_addf(&block,
		 "\n`hake/bench --%s`, %s, Skerry %s,\n%s;\none core, %s MiB, instructions "
		 "counted by `%s`%s%s.\n",
		 it->suite, figures_made(f, "date"), figures_made(f, "skerry"),
		 figures_made(f, "qemu"), figures_made(f, "memory_mib"), figures_made(f, "counted"),
		 f->timed ? ";\ntime is " : "", figures_made(f, "time"));
	if (file_read(README, &text) || !figures_place(&text, it->name, block.v)) {
		warn(README " has no place for the figures of %s: a line <!-- figures %s -->, and "
			    "<!-- end of figures --> after it",
		     it->name, it->name);
		return;
	}
	file_write(README, text.v, text.n);
	puts("  " README " is renewed");
}

bool beside_run(const struct project *p, const struct item *it, const struct beside_options *o)
{
	bool beside = !o->only_skerry && linux_find();
	struct figures f = {0};
	struct buf said = {0};
	bool ok = true;

	if (!beside)
		puts("  Linux is left out: this is Skerry alone");
	for (enum figure_system s = ON_SKERRY; s <= (beside ? ON_LINUX : ON_SKERRY); s++) {
		ok &= run_once(p, it, s, false, &f, &said);
		if (!o->no_time)
			ok &= run_once(p, it, s, true, &f, &said);
	}
	note_how(&f, it, beside, !o->no_time);
	show(&f, beside);
	keep(&f, it, &said);
	if (o->write_readme && ok && beside)
		write_readme(&f, it);
	else if (o->write_readme)
		warn(README " is left as it is: not everything ran");
	return ok;
}
