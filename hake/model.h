/*
 * What the Hakefiles say, as plain structures.
 *
 * Each construct of a Hakefile (library, domain, ...) becomes one item. Which fields a kind
 * of item has is said once, in the table of hakefile.c; the rest stay zero.
 *
 * Paths are relative to the top folder of the project, which is where hake runs.
 */
#ifndef HAKE_MODEL_H
#define HAKE_MODEL_H

#include "util.h"

enum kind {
	LIBRARY,       /* a static library, for Skerry, the build host, or both */
	EMBEDDED,      /* a shared object without a C library, that a domain carries in itself */
	DOMAIN,        /* a native program of Skerry */
	KERNEL,        /* a ring 0 program that carries its own symbol table */
	LOADER,        /* what the boot loader or QEMU starts */
	HOST_PROGRAM,  /* runs on the build host */
	LINUX_PROGRAM, /* a static Linux program, in the image: runs on Linux and on Skerry */
	UNIT_TEST,     /* a CUnit program */
	HOST_TEST,     /* any command; its exit status decides */
	BOOT_TEST,     /* a run of Skerry in QEMU */
	BENCHMARK,     /* a command or a run of Skerry that prints figures */
	IMAGE,         /* more files for the image */
	TOPOLOGY,      /* in hake/topologies: a machine with a name */
	NKINDS
};

struct pair {
	const char *key;
	const char *value;
};

/* An ordered map, sorted by key. */
struct pairs {
	struct pair *v;
	size_t n;
};

struct item {
	enum kind kind;
	const char *name;
	const char *dir;   /* of its Hakefile; "." is the top folder */
	const char *where; /* "lib/ump/Hakefile:3", for messages */

	/* things that are compiled */
	struct strv sources, libs, cflags, ldflags, includes, system_libs, sanitize, embeds;
	const char *ldscript, *path, *libc;
	bool target, host;

	/* tests and benchmarks */
	const char *suite, *about, *command, *long_command, *topology, *program, *append, *mem;
	const char *firmware, *when, *send;
	struct strv says, tests, needs, qemu_args;
	struct pairs expect;
	int exit, timeout;
	bool is_long, icount, alone;

	/* the image */
	struct pairs files;
	const char *tree;

	/* topologies */
	const char *machine, *memory;
	struct strv distances;
	int cores;
};

struct project {
	struct item **v;
	size_t n;
	struct strv hakefiles; /* every Hakefile that was read */
	struct strv dirs;      /* every folder that was looked into */
};

/** Reads every Hakefile below the current folder; ends hake when one is wrong. */
void project_load(struct project *p);

/** The item of that kind and name, or NULL. */
struct item *project_find(const struct project *p, enum kind kind, const char *name);

/** The names of the items of that kind. */
struct strv project_names(const struct project *p, enum kind kind);

/** Reads the one topology in the file @path. */
struct item *topology_file_load(const char *path);

/**
 * A path in a Hakefile of the folder @dir: "/lib/x.c" counts from the top folder, "@zlib/x.c" from
 * the sources of zlib (hake/sources), anything else from @dir.
 */
char *hakefile_path(const char *dir, const char *path);

/** "library", "unit_test", ... */
const char *kind_name(enum kind kind);

#endif
