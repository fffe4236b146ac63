"""XEP-0077 for somebody who is logged in: a new password, and the end of the account."""

from client import Client, LoginFailed, bounded, check, run, until

PLUGINS = ("xep_0077",)


async def can_log_in(place, password) -> bool:
    client = Client(place, "juliet", password, "other")
    try:
        await client.login()
    except LoginFailed:
        return False
    finally:
        await client.logout()
    return True


async def main(place):
    place.add_account("juliet", "first password")
    juliet = Client(place, "juliet", "first password", "balcony", plugins=PLUGINS)
    juliet.register_plugin("xep_0077", {"create_account": False})
    await juliet.login()

    check(await can_log_in(place, "first password"), "the first password works")
    check(not await can_log_in(place, "a wrong one"), "a wrong one does not")
    await bounded(juliet.plugin["xep_0077"].change_password("second password"), "she changes it")
    check(await can_log_in(place, "second password"), "the second password works")
    check(not await can_log_in(place, "first password"), "the first does not any more")

    place.restart()
    check(await can_log_in(place, "second password"), "it still works after a restart")

    await juliet.logout()
    juliet.password = "second password"
    await juliet.login()
    end = juliet.outcome("disconnected")
    request = juliet.plugin["xep_0077"].cancel_registration()
    # The answer and the end of the stream may come in either order.
    request.add_done_callback(lambda done: done.cancelled() or done.exception())
    await bounded(end, "she deletes her account, and the server closes her stream")
    check(not await can_log_in(place, "second password"), "and the account is gone")
    await until(lambda: juliet.transport is None, "the connection is closed")


if __name__ == "__main__":
    run(main)
