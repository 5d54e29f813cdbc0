/*
 * replay.c - runs a fuzz target over the files and folders of a corpus: an ordinary test, and what
 * repeats a finding without a fuzzer.
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fuzz.h"

static size_t n_files;

static void replay_file(const char *path)
{
        FILE *file = fopen(path, "rb");
        static uint8_t bytes[1 << 20];
        size_t n;

        if (!file) {
                perror(path);
                exit(1);
        }
        n = fread(bytes, 1, sizeof(bytes), file);
        fclose(file);
        LLVMFuzzerTestOneInput(bytes, n);
        ++n_files;
}

static void replay(const char *path)
{
        struct stat st;
        struct dirent *entry;
        char name[4096];
        DIR *dir;

        if (stat(path, &st) != 0) {
                perror(path);
                exit(1);
        }
        if (!S_ISDIR(st.st_mode)) {
                replay_file(path);
                return;
        }
        dir = opendir(path);
        while (dir && (entry = readdir(dir))) {
                if (entry->d_name[0] == '.')
                        continue;
                snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
                replay(name);
        }
        if (dir)
                closedir(dir);
}

int main(int argc, char **argv)
{
        for (int i = 1; i < argc; ++i)
                replay(argv[i]);
        if (n_files == 0) {
                fprintf(stderr, "no file in the corpus: nothing was tested\n");
                return 1;
        }
        printf("%zu files\n", n_files);
        return 0;
}
