/*
 * What a test program did on Skerry beside what it did on Linux, case by case.
 *
 * A case is a line "@test name=N result=R" of the program; where no case differs, its exit code
 * ("exit") is one, too; and so is each text that the boot test wants to see ("says:...").
 *
 * A difference is an error unless the file of differences lists it. A line of that file is
 *
 *   TEST CASE SKERRY LINUX REASON...
 *
 * such as "linux-files open_of_a_socket skip pass Skerry has no sockets yet"; "-" is the result of
 * a case that said nothing. A line that is no longer so is an error, too.
 */
#ifndef HAKE_COMPARE_H
#define HAKE_COMPARE_H

#include "model.h"

#define DIFFERENCES "tests/linux/differences"

/* A case and its result, in the order in which the program came to them. */
struct cases {
	struct pair *v;
	size_t n;
};

struct difference {
	const char *test, *name, *skerry, *linux_;
	const char *reason; /* NULL: of one that was found, that it is not listed */
	int line;           /* of one that is listed: where */
	bool found;         /* of one that is listed: that it is so */
};

struct differences {
	struct difference *v;
	size_t n;
};

/* What is compared: first the listed differences are read, then tests are added. */
struct comparison {
	const char *file;
	struct differences listed, found;
	struct strv tests;   /* that were compared */
	struct strv invalid; /* what is wrong with the list, a message each */
	size_t ncases, nlisted;
};

/** The cases of @it in @log: the console of a run, and lines "hake: ..." about it. */
struct cases compare_read(const struct item *it, const char *log);

/** Reads the list @file; there need not be one. Ends hake, with the line, if it is malformed. */
void compare_load(struct comparison *c, const char *file);

/** Compares two runs of @it: their logs. */
void compare_add(struct comparison *c, const struct item *it, const char *skerry,
		 const char *linux_);

/**
 * To be called when all are added: finds out which lines of the list are no longer so, and which
 * are of a test that is not among @known. Returns how many things are wrong: differences that are
 * not listed, and lines of the list.
 */
size_t compare_judge(struct comparison *c, const struct strv *known);

/** Prints the differences and what is wrong. */
void compare_show(const struct comparison *c);

#endif
