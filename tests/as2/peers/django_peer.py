"""A django-pyas2 station: the project that gunicorn serves, and a process that is asked by lines of JSON.

Runs in the peer's own environment (`tests/make_peers.py`) and knows nothing of the gateway; PEER_FOLDER is where its
database and files are, PEER_MDN_URL where it wants asynchronous receipts. As a program it plays the operator: it makes
the organisations, sends what it is told, runs `manageas2server --async-mdns`, and tells what is in the database.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import sys
from pathlib import Path

import django
from django.conf import settings

FOLDER = Path(os.environ["PEER_FOLDER"])

if not settings.configured:
    settings.configure(
        SECRET_KEY="a test peer",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="django_peer",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "pyas2"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(FOLDER / "peer.db"),
                "OPTIONS": {"timeout": 60, "transaction_mode": "IMMEDIATE"},
            }
        },
        MEDIA_ROOT=str(FOLDER / "media"),  # PYAS2's own DATA_DIR fails in Django 5: files outside of MEDIA_ROOT
        PYAS2={"MDN_URL": os.environ["PEER_MDN_URL"]},
        DATA_UPLOAD_MAX_MEMORY_SIZE=None,
        LOGGING_CONFIG=None,
    )
    django.setup()

from django.core.management import call_command  # noqa: E402  settings first
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402
from pyas2.models import Message, Organization, Partner, PrivateKey, PublicCertificate  # noqa: E402
from pyas2lib import Message as As2Message  # noqa: E402

urlpatterns = [path("pyas2/", include("pyas2.urls"))]
application = get_wsgi_application()


def setup(request: dict) -> dict:
    """Tables, keys, us (several organisations with one key) and the one partner."""
    call_command("migrate", verbosity=0)
    key = PrivateKey(name="ours", key=base64.b64decode(request["key"]), key_pass="")
    key.save()
    certificate = PublicCertificate(
        name="theirs", certificate=base64.b64decode(request["certificate"]), verify_cert=False
    )
    certificate.save()
    for name in request["organisations"]:
        Organization(name=name, as2_name=name, encryption_key=key, signature_key=key).save()
    Partner(
        name="theirs",
        as2_name=request["partner"],
        target_url=request["url"],
        content_type="application/EDI-X12",
        encryption_cert=certificate,
        signature_cert=certificate,
    ).save()
    return {}


def partner(request: dict) -> dict:
    """One more partner, of whom nothing is demanded, and an organisation for it."""
    certificate = PublicCertificate(
        name=request["name"], certificate=base64.b64decode(request["certificate"]), verify_cert=False
    )
    certificate.save()
    key = PrivateKey.objects.get()
    name = f"{request['name']}-PEER"
    Organization(name=name, as2_name=name, encryption_key=key, signature_key=key).save()
    Partner(
        name=request["name"],
        as2_name=request["name"],
        target_url="http://127.0.0.1:9/",
        encryption_cert=certificate,
        signature_cert=certificate,
    ).save()
    return {}


def agree(request: dict) -> dict:
    """Other settings of the partner from now on: what is sent to it, and what is demanded of what comes from it."""
    Partner.objects.filter(name="theirs").update(**request["settings"])
    return {}


def send(request: dict) -> dict:
    """As its command sendas2message does."""
    partner = Partner.objects.get(name="theirs")
    payload = base64.b64decode(request["payload"])
    as2message = As2Message(
        sender=Organization.objects.get(as2_name=request["organisation"]).as2org, receiver=partner.as2partner
    )
    as2message.build(
        payload,
        filename="order.edi",
        subject=partner.subject,
        content_type=partner.content_type,
        disposition_notification_to="no-reply@peer.example",
    )
    message, _ = Message.objects.create_from_as2message(
        as2message=as2message, payload=payload, filename="order.edi", direction="OUT", status="P"
    )
    mic = as2message.mic.decode() if as2message.mic else None
    message.send_message(as2message.headers, as2message.content)
    return {"id": as2message.message_id, "mic": mic}


def messages(request: dict) -> dict:
    """The messages of a direction, or one of them, with what became of them."""
    found = {}
    for message in Message.objects.filter(**request["where"]).select_related("mdn"):
        mdn = getattr(message, "mdn", None)
        found[message.message_id] = {
            "organisation": message.organization_id,
            "status": message.status,
            "detail": (message.detailed_status or "")[-400:],
            "payload": base64.b64encode(message.payload.read()).decode(),
            "layers": [message.signed, message.encrypted, message.compressed],
            "receipt": None if mdn is None else [mdn.status, mdn.signed],
        }
    return {"messages": found}


def receipts(_: dict) -> dict:
    """Send what asynchronous receipts are pending."""
    said = io.StringIO()
    call_command("manageas2server", "--async-mdns", stdout=said)
    return {"said": said.getvalue()}


def versions(_: dict) -> dict:
    """Who answers."""
    from importlib.metadata import version  # noqa: PLC0415

    return {name: version(name) for name in ("django-pyas2", "pyas2lib", "Django", "gunicorn")}


def main() -> None:
    """Answer until the input ends."""
    logging.disable(logging.CRITICAL)
    work = {one.__name__: one for one in (setup, partner, agree, send, messages, receipts, versions)}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            said = work[request["do"]](request)
        except Exception as error:  # noqa: BLE001  whatever the application raises is its answer
            said = {"raised": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
