/*
 * The main job as work for Slurm or GNU parallel. See scale.h.
 *
 * A folder gets jobs.txt, a line a job, and a script that has them run; results come to its folder
 * results/, which hake/bench --collect reads. The folder must be seen, under the same name, by
 * all machines that work, and so must the tree, built.
 */
#include "scale.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../build.h"

static void write_script(const char *path, const struct buf *text)
{
	file_write(path, text->v, text->n);
	if (chmod(path, 0755))
		die("%s: %s", path, strerror(errno));
}

static void emit_slurm(const char *dir, size_t n)
{
	struct buf b = {0};

	buf_addf(&b,
		 "#!/bin/sh\n"
		 "# sbatch %s/slurm.sh\n"
		 "#SBATCH --job-name=skerry-bench\n"
		 "#SBATCH --array=1-%zu\n"
		 "#SBATCH --ntasks=1\n"
		 "#SBATCH --cpus-per-task=1\n"
		 "#SBATCH --output=%s/slurm-%%a.out\n"
		 "exec sh -c \"$(sed -n \"${SLURM_ARRAY_TASK_ID}p\" '%s/jobs.txt')\"\n",
		 dir, n, dir, dir);
	write_script(strf("%s/slurm.sh", dir), &b);
}

static void emit_parallel(const char *dir)
{
	struct buf b = {0};

	buf_addf(&b,
		 "#!/bin/sh\n"
		 "# More machines: %s/parallel.sh --sshlogin HOST,HOST --env SKERRY_BUILD\n"
		 "exec parallel --joblog '%s/parallel.log' --resume \"$@\" <'%s/jobs.txt'\n",
		 dir, dir, dir);
	write_script(strf("%s/parallel.sh", dir), &b);
}

void scale_emit(const struct scale_matrix *m, const char *kind, const char *dir)
{
	bool slurm = strcmp(kind, "slurm") == 0;
	struct buf list = {0};
	char *top = realpath(".", NULL), *build = realpath(build_dir(), NULL), *full;

	if (!slurm && strcmp(kind, "parallel") != 0)
		die("--emit-jobs: expected slurm or parallel, not \"%s\"", kind);
	make_parents(strf("%s/results/x", dir));
	full = realpath(dir, NULL);
	if (!full || !top || !build)
		die("--emit-jobs: %s: %s", dir, strerror(errno));
	for (size_t i = 0; i < m->njobs; i++) {
		struct strv words = scale_job_words(&m->jobs[i], strf("%s/results/%s", full,
								      scale_job_key(&m->jobs[i])));

		buf_addf(&list, "cd '%s' && SKERRY_BUILD='%s' '%s/hake' bench-job %s\n", top, build,
			 build, strv_join(&words, " "));
	}
	file_write(strf("%s/jobs.txt", full), list.v, list.n);
	if (slurm)
		emit_slurm(full, m->njobs);
	else
		emit_parallel(full);
}
