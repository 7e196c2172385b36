/*
 * From items to build.ninja.
 *
 * A source is compiled once for each way of running (a variant: Skerry's user space, its
 * kernel, the build host, the build host under a sanitizer), and a library is archived for
 * just those variants in which something links it. Everything goes to the build folder:
 *
 *   obj/VARIANT/ITEM/...  objects          root/...    programs, as they lie in the image
 *   lib/VARIANT/...       libraries        bin/...     programs for the build host
 *   NAME, NAME.elf        kernel, loader   tests/...   unit tests
 *   embed/NAME.so         what domains carry in themselves
 *
 * Ninja runs in the top folder, so that the compiler's messages name files from there.
 */
#include "ninja.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Whether something may be uninitialized is a guess, on which versions of gcc differ: it warns,
 * but Debian 13's guess must not break what Debian 12's gcc built. */
#define WARNINGS                                                                                   \
	"-std=gnu17 -g -Wall -Wextra -Werror -Wno-error=maybe-uninitialized -Iinclude -Ilib"

/* What all code that runs on Skerry's processors is compiled with. musl's headers stand in for
 * the compiler's own, so that nothing of the build host's C library slips in. */
#define BARE                                                                                       \
	"-O2 -D__skerry__ -fno-stack-protector -fno-pie -fno-omit-frame-pointer "                  \
	"-fno-asynchronous-unwind-tables -fcf-protection=none $musl"

#define HOSTED     "-D_GNU_SOURCE -fno-omit-frame-pointer"

#define MUSL_SPECS "-specs=/usr/lib/x86_64-linux-musl/musl-gcc.specs"

enum variant { TARGET, RING0, BOOT, EMBED, HOST, ASAN, TSAN, MUSL, GLIBC, NVARIANTS };

static const struct {
	const char *name, *cflags, *ldflags;
} variants[NVARIANTS] = {
	[TARGET] = {"target", BARE " -mcmodel=small",
		    "-static -nostdlib -nostartfiles -no-pie -Wl,-z,max-page-size=4096 "
		    "-Wl,-z,separate-code -Wl,--build-id=none -Wl,-z,noexecstack"},
	[RING0] = {"kernel",
		   BARE
		   " -ffreestanding -mcmodel=kernel -mgeneral-regs-only -mno-red-zone -fno-pic",
		   "-static -nostdlib -no-pie -Wl,-z,max-page-size=4096 -Wl,--build-id=none "
		   "-Wl,-z,noexecstack"},
	[BOOT] = {"loader",
		  BARE " -ffreestanding -mcmodel=small -mgeneral-regs-only -mno-red-zone -fno-pic",
		  "-static -nostdlib -no-pie -Wl,-z,max-page-size=4096 -Wl,--build-id=none "
		  "-Wl,-z,noexecstack"},
	[EMBED] = {"embed",
		   "-O2 -ffreestanding -fPIC -fno-stack-protector -mgeneral-regs-only "
		   "-fcf-protection=none -fasynchronous-unwind-tables $musl",
		   "-shared -nostdlib -s -Wl,--hash-style=both -Wl,-z,max-page-size=4096 "
		   "-Wl,-Bsymbolic -Wl,--build-id=sha1 -Wl,--eh-frame-hdr -Wl,-z,noexecstack"},
	[HOST] = {"host", HOSTED " -O2", ""},
	[ASAN] = {"host-asan", HOSTED " -O1 -fsanitize=address,undefined -fno-sanitize-recover=all",
		  "-fsanitize=address,undefined"},
	[TSAN] = {"host-tsan", HOSTED " -O1 -fsanitize=thread", "-fsanitize=thread"},
	[MUSL] = {"linux-musl", "-D_GNU_SOURCE -O2 " MUSL_SPECS, "-static " MUSL_SPECS},
	[GLIBC] = {"linux-glibc", "-D_GNU_SOURCE -O2", "-static"},
};

/* What is being written, and what of it is done. */
struct writer {
	const struct project *p;
	struct buf ninja, commands;
	struct strv done; /* libraries that are written: "VARIANT/NAME" */
	const char *musl; /* $musl above */
};

static enum variant sanitizer_variant(const struct item *it, const char *name)
{
	struct strv known = {0};

	if (strcmp(name, "address,undefined") == 0)
		return ASAN;
	if (strcmp(name, "thread") == 0)
		return TSAN;
	if (strcmp(name, "none") == 0)
		return HOST;
	strv_split(&known, "address,undefined thread none");
	die("%s: sanitize of %s is \"%s\", but may be \"address,undefined\", \"thread\" or "
	    "\"none\"%s",
	    it->where, it->name, name, suggest(name, &known));
}

static enum variant libc_variant(const struct item *it)
{
	if (!it->libc || strcmp(it->libc, "musl") == 0)
		return MUSL;
	if (strcmp(it->libc, "glibc") == 0)
		return GLIBC;
	die("%s: libc of %s is \"%s\", but may be \"musl\" or \"glibc\"", it->where, it->name,
	    it->libc);
}

static enum variant program_variant(const struct item *it, size_t i)
{
	if (it->kind == EMBEDDED)
		return EMBED;
	if (it->kind == DOMAIN)
		return TARGET;
	if (it->kind == KERNEL)
		return RING0;
	if (it->kind == LOADER)
		return BOOT;
	if (it->kind == LINUX_PROGRAM)
		return libc_variant(it);
	if (it->sanitize.n)
		return sanitizer_variant(it, it->sanitize.v[i]);
	return it->kind == UNIT_TEST ? ASAN : HOST;
}

size_t unit_test_count(const struct item *it)
{
	return MAX(it->sanitize.n, 1ul);
}

char *unit_test_name(const struct item *it, size_t i)
{
	return i == 0 ? strf("%s", it->name) : strf("%s-%s", it->name, it->sanitize.v[i]);
}

char *unit_test_output(const struct item *it, size_t i)
{
	return strf("%s/tests/%s", build_dir(), unit_test_name(it, i));
}

char *image_path(const struct item *it)
{
	if (it->kind == KERNEL)
		return strf("boot/%s", it->name);
	if (it->path)
		return strf("%s", it->path);
	return strf("%s/%s", it->kind == LINUX_PROGRAM ? "bin" : "sbin", it->name);
}

static char *library_output(const struct item *it, enum variant v)
{
	return strf("%s/lib/%s/lib%s.a", build_dir(), variants[v].name, it->name);
}

static char *embedded_output(const char *name)
{
	return strf("%s/embed/%s.so", build_dir(), name);
}

char *item_output(const struct item *it)
{
	switch (it->kind) {
	case LIBRARY:
		return library_output(it, it->host ? HOST : TARGET);
	case EMBEDDED:
		return embedded_output(it->name);
	case DOMAIN:
	case LINUX_PROGRAM:
		return strf("%s/root/%s", build_dir(), image_path(it));
	case KERNEL:
		return strf("%s/%s", build_dir(), it->name);
	case LOADER:
		return strf("%s/%s.elf", build_dir(), it->name);
	case UNIT_TEST:
		return unit_test_output(it, 0);
	default:
		return strf("%s/%s", build_dir(), it->path ? it->path : strf("bin/%s", it->name));
	}
}

static struct item *need_library(struct writer *w, const struct item *user, const char *name)
{
	struct item *lib = project_find(w->p, LIBRARY, name);
	struct strv known = project_names(w->p, LIBRARY);

	if (!lib)
		die("%s: %s \"%s\" uses library \"%s\", which no Hakefile defines%s", user->where,
		    kind_name(user->kind), user->name, name, suggest(name, &known));
	return lib;
}

/* Appends @it's libraries and theirs, each once. */
static void collect_libraries(struct writer *w, const struct item *it, struct strv *names)
{
	struct strv libs = {0};

	if (it->kind == DOMAIN && !strv_has(&it->libs, "rt"))
		strv_add(&libs, "rt");
	if (it->kind == UNIT_TEST)
		strv_add(&libs, "unit");
	strv_cat(&libs, &it->libs);
	for (size_t i = 0; i < libs.n; i++) {
		struct item *lib = need_library(w, it, libs.v[i]);

		if (strv_has(names, libs.v[i]))
			continue;
		strv_add(names, libs.v[i]);
		collect_libraries(w, lib, names);
	}
}

/* The flags of a variant in full, for tools that do not read build.ninja. */
static char *spell_flags(struct writer *w, enum variant v)
{
	const char *flags = variants[v].cflags;
	const char *musl = strstr(flags, "$musl");

	if (!musl)
		return strf("%s %s", WARNINGS, flags);
	return strf("%s %.*s%s%s", WARNINGS, (int)(musl - flags), flags, w->musl, musl + 5);
}

/* @it's flags after those of the variant, @first. */
static char *compile_flags(const struct item *it, const char *first)
{
	struct strv flags = {0};

	strv_add(&flags, first);
	if (it->kind == UNIT_TEST)
		strv_add(&flags, "-Itests/unit"); /* <unit.h> */
	for (size_t i = 0; i < it->includes.n; i++)
		strv_addf(&flags, "-I%s", hakefile_path(it->dir, it->includes.v[i]));
	strv_cat(&flags, &it->cflags);
	return strv_join(&flags, " ");
}

/* What @it carries in itself: its assembly includes these by name (.incbin "NAME.so"). */
static char *embedded_files(struct writer *w, const struct item *it)
{
	struct strv files = {0}, known = project_names(w->p, EMBEDDED);

	for (size_t i = 0; i < it->embeds.n; i++) {
		if (!project_find(w->p, EMBEDDED, it->embeds.v[i]))
			die("%s: %s \"%s\" embeds \"%s\", which no Hakefile defines%s", it->where,
			    kind_name(it->kind), it->name, it->embeds.v[i],
			    suggest(it->embeds.v[i], &known));
		strv_add(&files, embedded_output(it->embeds.v[i]));
	}
	return strv_join(&files, " ");
}

/* Writes the compilation of @it's sources. Returns the objects. */
static struct strv write_objects(struct writer *w, const struct item *it, enum variant v)
{
	struct strv objects = {0};

	for (size_t i = 0; i < it->sources.n; i++) {
		const char *source = it->sources.v[i];
		char *object =
			strf("%s/obj/%s/%s/%s.o", build_dir(), variants[v].name, it->name, source);

		bool embeds = it->embeds.n && strcmp(source + strlen(source) - 2, ".S") == 0;

		buf_addf(&w->ninja, "build %s: cc %s | %s\n  flags = %s", object, source,
			 embeds ? embedded_files(w, it) : "",
			 compile_flags(it, strf("$flags_%s", variants[v].name)));
		buf_addf(&w->ninja, embeds ? " -Wa,-I%s/embed\n" : "\n", build_dir());
		buf_addf(&w->commands,
			 "%s{\"directory\": \"%s\", \"file\": \"%s\", \"output\": \"%s\",\n"
			 " \"command\": \"gcc %s -c %s -o %s\"}",
			 w->commands.n ? ",\n" : "", get_current_dir_name(), source, object,
			 compile_flags(it, spell_flags(w, v)), source, object);
		strv_add(&objects, object);
	}
	return objects;
}

static void write_library(struct writer *w, const struct item *it, enum variant v)
{
	char *key = strf("%s/%s", variants[v].name, it->name);
	struct strv objects;

	if (strv_has(&w->done, key))
		return;
	strv_add(&w->done, key);
	objects = write_objects(w, it, v);
	buf_addf(&w->ninja, "build %s: ar %s\n", library_output(it, v), strv_join(&objects, " "));
}

static void check_linkable(const struct item *it, const struct item *lib, enum variant v)
{
	bool host = v >= HOST;

	if (host ? !lib->host : !lib->target)
		die("%s: %s \"%s\" runs on %s, but library \"%s\" (%s) says %s = false", it->where,
		    kind_name(it->kind), it->name, host ? "the build host" : "Skerry", lib->name,
		    lib->where, host ? "host" : "target");
}

/* Writes the linking of one program, with @extra objects. */
static void write_link(struct writer *w, const struct item *it, enum variant v,
		       const struct strv *objects, const char *output, const char *extra)
{
	struct strv names = {0}, files = {0}, flags = {0}, system_libs = {0};
	const char *script = it->ldscript         ? it->ldscript
			     : it->kind == DOMAIN ? "lib/rt/domain.ld"
						  : NULL;

	collect_libraries(w, it, &names);
	strv_cat(&system_libs, &it->system_libs);
	for (size_t i = 0; i < names.n; i++) {
		struct item *lib = project_find(w->p, LIBRARY, names.v[i]);

		check_linkable(it, lib, v);
		write_library(w, lib, v);
		strv_add(&files, library_output(lib, v));
		strv_cat(&system_libs, &lib->system_libs);
	}
	strv_add(&flags, variants[v].ldflags);
	if (script)
		strv_addf(&flags, "-Wl,-T,%s", script);
	strv_cat(&flags, &it->ldflags);
	buf_addf(&w->ninja, "build %s: link %s %s | %s %s\n  flags = %s\n  libs = %s", output,
		 strv_join(objects, " "), extra, strv_join(&files, " "), script ? script : "",
		 strv_join(&flags, " "), strv_join(&files, " "));
	if (v == TARGET)
		buf_addf(&w->ninja, " $musl_libc");
	if (v < HOST)
		buf_addf(&w->ninja, " -lgcc");
	for (size_t i = 0; i < system_libs.n; i++)
		buf_addf(&w->ninja, " -l%s", system_libs.v[i]);
	buf_addf(&w->ninja, "\n");
}

/*
 * A kernel is linked twice: first with an empty table of symbols, then with the table of the
 * first. The table is read-only data, which lies behind the text, so the text stays put;
 * "symbols --check" proves it.
 */
static void write_kernel(struct writer *w, const struct item *it)
{
	struct strv objects = write_objects(w, it, RING0);
	char *base = strf("%s/obj/kernel/%s/symbols", build_dir(), it->name);

	buf_addf(&w->ninja, "build %s.0.S: symbols | %s/hake\n", base, build_dir());
	buf_addf(&w->ninja, "build %s.0.o: cc %s.0.S\n  flags = $flags_kernel\n", base, base);
	write_link(w, it, RING0, &objects, strf("%s.pass1", base), strf("%s.0.o", base));
	buf_addf(&w->ninja, "build %s.1.S: symbols %s.pass1 | %s/hake\n", base, base, build_dir());
	buf_addf(&w->ninja, "build %s.1.o: cc %s.1.S\n  flags = $flags_kernel\n", base, base);
	write_link(w, it, RING0, &objects, strf("%s.pass2", base), strf("%s.1.o", base));
	buf_addf(&w->ninja,
		 "build %s: symbols_check %s.1.S %s.pass2 | %s/hake\n  pass2 = %s.pass2\n",
		 item_output(it), base, base, build_dir(), base);
}

static void write_program(struct writer *w, const struct item *it)
{
	if (it->kind == KERNEL) {
		write_kernel(w, it);
		return;
	}
	for (size_t i = 0; i < unit_test_count(it); i++) {
		enum variant v = program_variant(it, i);
		struct strv objects = write_objects(w, it, v);

		write_link(w, it, v, &objects, i ? unit_test_output(it, i) : item_output(it), "");
	}
}

static void write_head(struct writer *w)
{
	const char *b = build_dir();
	struct strv gcc = {0};
	struct buf include = {0};

	strv_split(&gcc, "gcc -print-file-name=include");
	if (run_collect(&gcc, &include) || include.n < 2)
		die("gcc does not run; its package is gcc");
	include.v[include.n - 1] = 0;
	w->musl = strf("-nostdinc -isystem /usr/include/x86_64-linux-musl -isystem %s", include.v);
	buf_addf(&w->ninja,
		 "# Made by hake from the Hakefiles; change those.\n"
		 "ninja_required_version = 1.10\nbuilddir = %s\nmusl = %s\n"
		 "musl_libc = /usr/lib/x86_64-linux-musl/libc.a\n",
		 b, w->musl);
	for (int v = 0; v < NVARIANTS; v++)
		buf_addf(&w->ninja, "flags_%s = %s %s\n", variants[v].name, WARNINGS,
			 variants[v].cflags);
	buf_addf(&w->ninja,
		 "rule cc\n  command = gcc $flags -MMD -MF $out.d -c $in -o $out\n"
		 "  deps = gcc\n  depfile = $out.d\n  description = compile $in\n"
		 "rule ar\n  command = rm -f $out && ar crsD $out $in\n  description = archive "
		 "$out\n"
		 "rule link\n  command = gcc $flags $in -Wl,--start-group $libs -Wl,--end-group -o "
		 "$out\n"
		 "  description = link $out\n"
		 "rule symbols\n  command = %s/hake symbols $in > $out\n  description = symbols "
		 "$out\n"
		 "rule symbols_check\n  command = %s/hake symbols --check $in && cp $pass2 $out\n"
		 "  description = check $out\n",
		 b, b);
}

/* The names of the outputs of all items of the kinds in the set @kinds. */
static struct strv outputs(const struct project *p, unsigned kinds)
{
	struct strv files = {0};

	for (size_t i = 0; i < p->n; i++) {
		if (!(kinds & 1u << p->v[i]->kind))
			continue;
		strv_add(&files, item_output(p->v[i]));
		for (size_t j = 1; p->v[i]->kind == UNIT_TEST && j < unit_test_count(p->v[i]); j++)
			strv_add(&files, unit_test_output(p->v[i], j));
	}
	return files;
}

void ninja_write(const struct project *p)
{
	struct writer w = {.p = p};
	struct strv image, all;

	write_head(&w);
	for (size_t i = 0; i < p->n; i++) {
		struct item *it = p->v[i];

		if (it->kind == LIBRARY && it->target)
			write_library(&w, it, TARGET);
		if (it->kind == LIBRARY && it->host)
			write_library(&w, it, HOST);
		if (it->kind > LIBRARY && it->kind <= UNIT_TEST)
			write_program(&w, it);
	}
	image = outputs(p, 1u << DOMAIN | 1u << LINUX_PROGRAM | 1u << KERNEL | 1u << LOADER);
	all = outputs(p, 1u << LIBRARY | 1u << HOST_PROGRAM | 1u << UNIT_TEST);
	buf_addf(&w.ninja, "build image: phony %s\nbuild all: phony image %s\ndefault all\n",
		 strv_join(&image, " "), strv_join(&all, " "));
	file_write(strf("%s/build.ninja", build_dir()), w.ninja.v, w.ninja.n);
	buf_addf(&w.commands, "\n]\n");
	w.commands.v = strf("[\n%s", w.commands.v);
	file_write(strf("%s/compile_commands.json", build_dir()), w.commands.v,
		   strlen(w.commands.v));
}

/* Two ninjas in one folder would undo each other's work. Returns what to close in the end. */
static int take_lock(void)
{
	int lock = open(strf("%s/.lock", build_dir()), O_CREAT | O_RDWR | O_CLOEXEC, 0666);

	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
		return lock;
	if (lock >= 0)
		warn("another hake is building in %s; waiting for it", build_dir());
	if (lock < 0 || flock(lock, LOCK_EX))
		die("cannot lock %s/.lock", build_dir());
	return lock;
}

bool ninja_try(const struct strv *targets)
{
	bool terminal = isatty(STDERR_FILENO);
	struct strv argv = {0};
	struct buf out = {0};
	int lock = take_lock();
	int status;

	/* Its output goes to standard error: standard output is the guest's, or the test runner's.
	 * Without a terminal it is shown only if something failed. */
	strv_split(&argv, "sh -c");
	strv_add(&argv, terminal ? "exec \"$@\" >&2" : "exec \"$@\" 2>&1");
	strv_split(&argv,
		   strf("sh ninja %s -f %s/build.ninja", terminal ? "" : "--quiet", build_dir()));
	strv_cat(&argv, targets);
	status = terminal ? run_program(&argv) : run_collect(&argv, &out);
	close(lock);
	if (status == 127)
		die("there is no ninja; its package is ninja-build");
	if (status && !terminal)
		fwrite(out.v, 1, out.n, stderr);
	return status == 0;
}

void ninja_run(const struct strv *targets)
{
	if (!ninja_try(targets))
		exit(1);
}
