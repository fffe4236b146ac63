"""Reading an account's whole archive (XEP-0313), page by page."""

from client import bounded

PAGE = 100


async def read_archive(client) -> list:
    """What the server keeps of the client's account, oldest first, as (archive id, stanza). The
    client needs the plugin xep_0313."""
    found, position = [], None
    while True:
        page = {"max": PAGE, "after": position} if position else {"max": PAGE}
        answer = await bounded(client.plugin["xep_0313"].retrieve(rsm=page), "a page of the archive")
        results = [result["mam_result"] for result in answer["mam"]["results"]]
        found += [(result["id"], result["forwarded"]["stanza"]) for result in results]
        if answer["mam_fin"]["complete"] == "true" or not results:
            return found
        position = results[-1]["id"]
