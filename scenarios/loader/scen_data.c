/* Where the data are.
 *
 * An installed tree can be moved as a whole, so nothing of its place is compiled in: the file that
 * this code was loaded from (the program, or the library within another program) says where it is,
 * and the data lie in share/orrery of a folder above it: PREFIX/bin/orrery and
 * PREFIX/lib/x86_64-linux-gnu/liborrery.so both find PREFIX/share/orrery. Built and not installed,
 * there is no such folder, and the source tree is the data folder. */
#include "scen_data.h"

#include <dlfcn.h>
#include <glib.h>
#include <string.h>

enum { FOLDERS_ABOVE = 3 }; /* lib/TRIPLET/liborrery.so */

/* The file that holds this very function; dladdr() names a program as it was called, which need not
 * be where it is. */
static char *own_file(void)
{
    Dl_info info;
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    if (dladdr((const void *)own_file, &info) && info.dli_fname && strstr(info.dli_fname, ".so"))
        return g_canonicalize_filename(info.dli_fname, NULL);
    return g_steal_pointer(&program);
}

char *scen_data_folder(void)
{
    const char *told = g_getenv("ORRERY_DATA_DIR");
    if (told && *told)
        return g_strdup(told);
    g_autofree char *above = own_file();
    for (int i = 0; above && i < FOLDERS_ABOVE; i++) {
        g_autofree char *folder = g_path_get_dirname(above);
        g_autofree char *data = g_build_filename(folder, "share", "orrery", NULL);
        if (g_file_test(data, G_FILE_TEST_IS_DIR))
            return g_steal_pointer(&data);
        g_free(above);
        above = g_steal_pointer(&folder);
    }
    return g_strdup(ORRERY_SOURCE_DIR);
}
