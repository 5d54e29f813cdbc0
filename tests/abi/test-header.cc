/*
 * test-header.cc - the public header stands alone, and is C++, too.
 */
#include <mbus/mbus.h>

int main()
{
        return mbus_version() == MBUS_VERSION ? 0 : 1;
}
