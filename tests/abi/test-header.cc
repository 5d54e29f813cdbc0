/*
 * test-header.cc - the public header stands alone, and is C++, too.
 */
#include <mbus/mbus.h>

/* The compiler checks formats here as well. */
static bool formats_work()
{
        struct mbus_commands *commands = nullptr;
        bool right;

        if (mbus_commands_new(&commands) != 0)
                return false;
        right = mbus_commands_addf(commands, "a(%s %d)", "b", 1) == 0 &&
                mbus_commands_get_error(commands, nullptr)[0] == '\0';
        mbus_commands_free(commands);
        return right;
}

int main()
{
        return mbus_version() == MBUS_VERSION && formats_work() ? 0 : 1;
}
