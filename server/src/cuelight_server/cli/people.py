"""`cuelight-server invite | user`: people of the desk, without a server."""

from pathlib import Path

import click

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.cli.options import folder_option
from cuelight_server.cli.wiring import current_settings, invitation_address, opened
from cuelight_server.kernel.errors import Invalid


@click.command()
@click.argument("id")
@click.argument("name", required=False)
@click.option("--admin", is_flag=True, help="A new person becomes an administrator.")
@folder_option
@declares(Verb.INVITATION_ISSUE)
def invite(id: str, name: str | None, data: Path | None, *, admin: bool) -> None:
    """Print a one-time link with which a person sets their password; with NAME a person who is new here is added."""
    from cuelight_server.control.access import add_actor
    from cuelight_server.control.invitations import issue_link
    from cuelight_server.kernel.actor import SYSTEM

    with opened(data) as desk:
        if name is not None:
            add_actor(desk, SYSTEM, id, name, admin=admin)
        made = issue_link(desk, SYSTEM, id)
        click.echo(invitation_address(current_settings(), made.code))
    click.echo(f"  works once, until {made.expires_at[:16].replace('T', ' ')} UTC; give it to them yourself", err=True)


@click.group()
def user() -> None:
    """People."""


@user.command("add")
@click.argument("id")
@click.argument("name")
@click.option("--admin", is_flag=True, help="An administrator: may add people and keys, holds no role by that.")
@folder_option
@declares(Verb.ACTOR_ADD)
def user_add(id: str, name: str, data: Path | None, *, admin: bool) -> None:
    """Add a person, or adopt one whom a push brought along and who has no token yet; prints their token once."""
    from cuelight_server.control.access import add_actor, adopt, issue_token
    from cuelight_server.kernel.actor import SYSTEM

    with opened(data) as desk:
        adopted = None if admin else adopt(desk, SYSTEM, id)
        if adopted is None:
            add_actor(desk, SYSTEM, id, name, admin=admin)
        else:
            click.echo(f"{id} is here already, brought by a push, and had no token: this is the first", err=True)
        click.echo(adopted or issue_token(desk, SYSTEM, id))


@user.command("disable")
@click.argument("person")
@folder_option
@declares(Verb.ACTOR_DISABLE)
def user_disable(person: str, data: Path | None) -> None:
    """Disable a person or an app: from now on they neither enter nor act; their history stays."""
    from cuelight_server.control.access import disable_actor
    from cuelight_server.kernel.actor import SYSTEM

    with opened(data) as desk:
        disable_actor(desk, SYSTEM, person)
    click.echo(f"disabled {person}")


@user.command("erase")
@click.argument("person")
@folder_option
@declares(Verb.PERSON_ERASE)
def user_erase(person: str, data: Path | None) -> None:
    """Erase what the log says of a disabled PERSON beside their id; `-` erases the addresses of strangers."""
    from cuelight_server.control.erasing import erase_person
    from cuelight_server.kernel.actor import SYSTEM

    with opened(data) as desk:
        texts = erase_person(desk, SYSTEM, person)
    click.echo(f"erased {texts} texts about {person}; the log verifies as before")


@user.command("link")
@click.argument("id")
@click.option("--same-as", required=True, metavar="ID", help="The account that is the same person.")
@folder_option
@declares(Verb.ACTOR_LINK)
def user_link(id: str, same_as: str, data: Path | None) -> None:
    """Say that two accounts are one person: their two yeses are one."""
    from cuelight_server.control.persons import link
    from cuelight_server.kernel.actor import SYSTEM

    with opened(data) as desk:
        click.echo(f"{id} and {same_as} are one person: {link(desk, SYSTEM, id, same_as)}")


@user.command("email")
@click.argument("id")
@click.argument("address")
@folder_option
@declares(Verb.EMAIL_VERIFY)
def user_email(id: str, address: str, data: Path | None) -> None:
    """Vouch for a person's e-mail address; accounts with the same address are one person."""
    from cuelight_server.control.persons import verify_email
    from cuelight_server.kernel.actor import SYSTEM

    with opened(data) as desk:
        verify_email(desk, SYSTEM, id, address)
    click.echo(f"noted for {id}")


@user.command("identity")
@click.argument("id")
@click.option("--issuer", help="The provider [CUELIGHT_OIDC_ISSUER].")
@click.option("--subject", required=True, help="Who they are there: the provider's `sub`.")
@click.option("--remove", is_flag=True, help="They come into this account no longer.")
@folder_option
@declares(Verb.IDENTITY_LINK)
def user_identity(id: str, issuer: str | None, subject: str, data: Path | None, *, remove: bool) -> None:
    """Say that a person of the sign-in provider comes into this account; without an e-mail to link by, this is the way."""
    from cuelight_server.control.identities import link_identity, unlink_identity
    from cuelight_server.kernel.actor import SYSTEM

    where = issuer or current_settings().oidc_issuer
    if not where:
        raise Invalid("which provider?", "give --issuer, or set CUELIGHT_OIDC_ISSUER")
    with opened(data) as desk:
        (unlink_identity if remove else link_identity)(desk, SYSTEM, id, where, subject)
    click.echo(f"{subject} at {where} {'is no longer' if remove else 'is'} {id}")


@user.command("list")
@folder_option
@declares(Verb.DESK_READ)
def user_list(data: Path | None) -> None:
    """Everyone who is here, people and apps: id, name, and whether they are administrator, disabled, without a token."""
    from cuelight_server.views.people import accounts, tokens

    with opened(data) as desk:
        holders = {one.actor for one in tokens(desk) if one.revoked_at is None}
        for one in accounts(desk):
            words = ("administrator" * one.admin, f"disabled {one.disabled_at}" if one.disabled_at else "")
            told = [*filter(None, words), *(["no token"] if one.id not in holders else [])]
            click.echo(f"{one.id:30} {one.name:30} {', '.join(told)}".rstrip())


@user.group("auditor")
def auditor() -> None:
    """People who may look at every workflow, and change none by that."""


@auditor.command("add")
@click.argument("person")
@folder_option
@declares(Verb.AUDITOR_APPOINT)
def auditor_add(person: str, data: Path | None) -> None:
    """Let a person look at every workflow."""
    from cuelight_server.control.members import appoint_auditor
    from cuelight_server.kernel.actor import SYSTEM

    with opened(data) as desk:
        appoint_auditor(desk, SYSTEM, person)
    click.echo(f"{person} may look at every workflow")


@auditor.command("remove")
@click.argument("person")
@folder_option
@declares(Verb.AUDITOR_DISMISS)
def auditor_remove(person: str, data: Path | None) -> None:
    """End that a person looks at every workflow."""
    from cuelight_server.control.members import dismiss_auditor
    from cuelight_server.kernel.actor import SYSTEM

    with opened(data) as desk:
        dismiss_auditor(desk, SYSTEM, person)
    click.echo(f"{person} sees their own workflows only")
