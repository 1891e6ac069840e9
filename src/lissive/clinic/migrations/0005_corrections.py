from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0004_signed")]
    operations = [
        migrations.AddField("intake", "sent", models.JSONField(default=list)),
        migrations.AddField("intake", "correcting", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("organisation", "place", models.CharField(blank=True, max_length=12)),
        migrations.AddField("organisation", "zone", models.CharField(blank=True, max_length=60)),
    ]
