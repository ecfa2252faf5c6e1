"""Access to the hub follows the single sign-on while a user works, not only at the login.

A user's groups and session are looked up again at a request that comes ``auth_refresh_age`` after the last
time, before a server starts, and every ``check_seconds`` for everyone whose server runs. Who has lost the
last allowed group, was disabled, or whose session has ended is logged out: servers are stopped, tokens and
cookies are void. While the single sign-on cannot be reached nothing is decided: what was granted stays
granted, and nobody new gets in.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from jupyterhub import orm
from jupyterhub.app import JupyterHub
from oauthenticator.generic import GenericOAuthenticator
from tornado.httpclient import HTTPClientError
from tornado.ioloop import PeriodicCallback
from tornado.web import HTTPError
from traitlets import Integer

if TYPE_CHECKING:
    from jupyterhub.user import User

__all__ = ["SwathAuthenticator"]

Model = dict[str, Any]


def is_refusal(error: Exception) -> bool:
    """Tell an answer of no (4xx, timeouts of a client excepted) from no answer at all."""
    if isinstance(error, HTTPClientError):
        return 400 <= error.code < 500 and error.code not in {408, 429}
    return isinstance(error, HTTPError) and 400 <= error.status_code < 500


class SwathAuthenticator(GenericOAuthenticator):  # type: ignore[misc]  # oauthenticator ships no types
    """Logs users in through OpenID Connect, and out when they have lost the right."""

    check_seconds = Integer(
        60, config=True, help="How often users with a running server are looked up again."
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._unreachable: ContextVar[bool] = ContextVar("unreachable", default=False)
        # A refresh token may be good for one use: two refreshes of one user must not overlap.
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._round: PeriodicCallback | None = None
        if isinstance(self.parent, JupyterHub) and self.check_seconds:
            self._round = PeriodicCallback(self.check_all, self.check_seconds * 1000)
            self._round.start()

    async def get_token_info(self, handler: Any, params: Model) -> Model:
        """Ask for tokens, and remember whether a failure was a refusal or no answer."""
        try:
            return dict(await super().get_token_info(handler, params))
        except Exception as error:
            self._unreachable.set(not is_refusal(error))
            raise

    async def refresh_user(self, user: User, handler: Any = None, **_: Any) -> bool | Model:
        """Look a user up again; end the user's access if it was lost.

        Returns
        -------
        bool or dict
            What the hub is to know of the user now; True, where nothing could be learnt.

        Raises
        ------
        tornado.web.HTTPError
            403 where the user has lost the access: a request with a token must fail too, and the hub itself
            would let it pass.
        """
        async with self._locks[user.name]:
            model = await self._look_up(user, handler)
        if isinstance(model, bool):
            return model
        if await self.check_allowed(user.name, model):
            return model
        await self.end(user, "is in no group that may use the hub")
        raise HTTPError(
            403, f"{user.name} is in no group that may use the hub; an administrator can change that"
        )

    async def _look_up(self, user: User, handler: Any) -> bool | Model:
        self._unreachable.set(False)
        try:
            model = await super().refresh_user(user, handler)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, it is no answer about the user
            self.log.warning("The single sign-on did not answer for %s: %s", user.name, error)
            return True
        if model is False and self._unreachable.get():
            self.log.warning("The single sign-on did not answer for %s", user.name)
            return True
        if isinstance(model, dict):
            # At once: the next look-up must not use a refresh token that was used up.
            await user.save_auth_state(model["auth_state"])
            return model
        return bool(model)

    async def check_all(self) -> None:
        """Look up every user whose server runs."""
        for user in list(self.parent.users.values()):
            if not user.active or any(spawner.pending for spawner in user.spawners.values()):
                continue
            try:
                model = await self.refresh_user(user)
                if model is False:
                    await self.end(user, "has no session with the single sign-on any longer")
                elif isinstance(model, dict):
                    user.admin = bool(model["admin"])
                    user.sync_groups(model["groups"])
                    self.parent.db.commit()
            except HTTPError as refusal:
                self.log.info("%s", refusal.log_message)
            except Exception:
                # The others must be looked up all the same.
                self.log.exception("Could not check the access of %s", user.name)

    async def end(self, user: User, why: str) -> None:
        """Stop a user's servers, and make tokens and cookies void. The volume stays."""
        self.log.warning("%s %s: access ends", user.name, why)
        database = self.parent.db
        for token in list(user.orm_user.api_tokens):
            database.delete(token)
        for code in list(user.orm_user.oauth_codes):
            database.delete(code)
        # Cookies name this id: none that was set before is valid after.
        user.orm_user.cookie_id = orm.new_token()
        user.orm_user.admin = False
        await user.save_auth_state(None)
        database.commit()
        for name, spawner in list(user.spawners.items()):
            if spawner.active and not spawner.pending:
                await self.parent.proxy.delete_user(user, name)
                await user.stop(name)
