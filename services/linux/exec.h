/*
 * Starting a program in a process: what the parts of exec tell each other.
 *
 *   exec.c      arguments, scripts, credentials, and the point of no return
 *   elfload.c   mapping an ELF file and its interpreter
 *   stack.c     what the program finds on its stack
 */
#ifndef LINUX_EXEC_H
#define LINUX_EXEC_H

#include "args.h"
#include "process.h"

/* A program that is being started. */
struct exec {
	struct thread *thread;
	struct file *file; /* the ELF file */
	struct strings args, env;
	char *name;       /* AT_EXECFN: as execve was told */
	u64 limit_bytes;  /* of arguments and environment */
	struct cred cred; /* of the program */
	bool secure;      /* AT_SECURE: it has more privileges than its starter */
	struct mm *mm;    /* its memory, being made */
	/* set by elfload.c */
	u64 entry; /* where it starts: the interpreter's if there is one */
	u64 program_entry, phdr, phnum, base;
	bool executable_stack;
	u64 stack_top;
	u64 sp; /* set by stack.c */
};

/** Map the program and its interpreter into exec->mm. 0, -ENOEXEC, -ENOMEM, -ELIBBAD, ... */
int elf_load(struct exec *e);

/** Make the stack. 0, -ENOMEM, -E2BIG. */
int stack_make(struct exec *e);

/** The backing of an open program; takes over the file (file_put_exec at the end). */
struct backing *backing_new_exec(struct vfs *vfs, struct file *file);
/** The backing of an open file, of which it takes a reference. */
struct backing *backing_new_file(struct file *file);
/** The file of a backing of either kind; NULL: it has none. */
struct file *backing_file(struct backing *backing);

/** Start @path in @t, with arguments that are in this domain: the first process. */
int exec_first(struct thread *t, const char *path, const struct strings *args,
	       const struct strings *env);

#endif
